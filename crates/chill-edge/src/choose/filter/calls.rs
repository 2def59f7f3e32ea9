//! Calls of functions.

use super::Mistake;
use super::builtin::{self, Builtin, Param};
use super::compile::{Compiler, quoted, text};
use super::operand::Operand;
use super::predicate::Predicate;
use super::program::Step;
use super::types::Type;

impl Compiler {
    /// The call of a function whose bracket is open; through a pipe its first argument is there already.
    pub(super) fn call(&mut self, name: &str, at: usize, first: Option<Operand>) -> Result<Operand, Mistake> {
        if let Some(predicate) = Predicate::find(name) {
            return self.each(predicate, at, first);
        }
        if name == "Age" && first.is_none() {
            // Known for Usenet posts only, which this addon does not list.
            let from = self.constant(text(""))?;
            self.expect(")", "after Age(")?;
            return Ok(Operand::new(Type::Text, from, at));
        }
        let Some(builtin) = builtin::find(name) else {
            return Err(Mistake::new(at, format!("there is no function {}", quoted(name))));
        };
        let from = first.as_ref().map_or(self.here(), |first| first.from);
        let start = first.as_ref().map_or(at, |first| first.at);
        let mut arguments: Vec<Operand> = first.into_iter().collect();
        let piped = arguments.len();
        while !self.eat(")") {
            if arguments.len() > piped {
                self.expect(",", "or ) after the argument")?;
            }
            arguments.push(self.expression(0)?);
        }
        let ty = self.check_call(builtin, &arguments, at)?;
        let count = u8::try_from(arguments.len()).map_err(|_| Mistake::new(at, "too many arguments"))?;
        self.emit(Step::Call(builtin, count))?;
        Ok(Operand::new(ty, from, start))
    }

    fn check_call(&self, builtin: &Builtin, arguments: &[Operand], at: usize) -> Result<Type, Mistake> {
        let count = arguments.len();
        let most = builtin.params.len();
        if count < builtin.least || count > most && !builtin.variadic {
            let name = builtin.name;
            let wants = match (builtin.least, most) {
                (least, _) if builtin.variadic => format!("at least {least}"),
                (least, most) if least == most => least.to_string(),
                (least, most) => format!("{least} to {most}"),
            };
            return Err(Mistake::new(at, format!("{name} takes {wants} arguments, not {count}")));
        }
        for (index, argument) in arguments.iter().enumerate() {
            let param = builtin.params.get(index).or(builtin.params.last()).unwrap_or(&Param::Any);
            self.require(argument, param.takes(&argument.ty), builtin.name, param.says())?;
        }
        Ok(builtin.result.of(arguments.first().map(|first| &first.ty)))
    }

    /// `any(list, predicate)` and its like.
    fn each(&mut self, predicate: Predicate, at: usize, first: Option<Operand>) -> Result<Operand, Mistake> {
        let name = predicate.name();
        let piped = first.is_some();
        let list = match first {
            Some(list) => list,
            None => self.expression(0)?,
        };
        self.require(&list, list.ty.may_be_list(), name, "a list")?;
        let element = list.ty.element();
        let more = if piped { !self.is_symbol(")") } else { self.eat(",") };
        let body = if more {
            let each = self.emit(Step::Each(predicate, 0))?;
            let body = self.body(element.clone())?;
            self.land(each);
            self.require(&body, predicate.takes(&body.ty), name, predicate.needs())?;
            body.ty
        } else if predicate.needs_body() {
            let message = format!("{name} needs a condition for the elements, as in {name}(Languages, # == \"en\")");
            return Err(self.mistake(message));
        } else {
            self.require(&list, predicate.takes(&element), name, predicate.needs())?;
            // Without a condition the element itself is taken.
            let each = self.emit(Step::Each(predicate, 0))?;
            self.emit(Step::Element)?;
            self.land(each);
            element.clone()
        };
        self.expect(")", "at the end of the arguments")?;
        let ty = predicate.result(&element, &body);
        Ok(Operand::new(ty, list.from, if piped { list.at } else { at }))
    }

    fn body(&mut self, element: Type) -> Result<Operand, Mistake> {
        self.elements.push(element);
        let braces = self.eat("{");
        let body = if braces { self.sequence() } else { self.expression(0) };
        self.elements.pop();
        let body = body?;
        if braces {
            self.expect("}", "at the end of the condition")?;
        }
        Ok(body)
    }
}
