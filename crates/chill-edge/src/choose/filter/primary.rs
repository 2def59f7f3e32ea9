//! Operands: literals, names, brackets, and what follows them.

use super::Mistake;
use super::builtin;
use super::compile::{Compiler, quoted, text};
use super::operand::Operand;
use super::predicate::Predicate;
use super::program::Step;
use super::token::Kind;
use super::types::Type;
use super::value::Value;
use crate::choose::fields::{Field, Named, Record};
use crate::choose::rank::Ranked;

/// How tightly `not` and `!` bind.
const NOT: u16 = 50;
/// How tightly a sign binds.
const SIGN: u16 = 90;

impl Compiler {
    /// An operand with its unary operators and members.
    pub(super) fn operand(&mut self) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        if self.eat("!") || self.eat_word("not") {
            let operand = self.expression(NOT)?;
            self.require(&operand, operand.ty.may_be_bool(), "`not`", "a yes or no")?;
            self.emit(Step::Not)?;
            return Ok(Operand::new(Type::Bool, from, at));
        }
        if self.is_symbol("-") || self.is_symbol("+") {
            return self.signed();
        }
        let operand = self.primary()?;
        self.postfix(operand)
    }

    fn signed(&mut self) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        let minus = self.eat("-");
        if !minus {
            self.advance();
        }
        let operand = self.expression(SIGN)?;
        self.require(&operand, operand.ty.may_be_number(), "a sign", "a number")?;
        let negated = match self.constant_in(from, self.here()) {
            Some(Value::Int(int)) => int.checked_neg().map(Value::Int),
            Some(Value::Float(float)) => Some(Value::Float(-float)),
            _ => None,
        };
        match negated {
            Some(value) if minus => {
                self.program.steps.truncate(from);
                self.constant(value)?;
            }
            _ => {
                self.emit(if minus { Step::Negate } else { Step::CheckNumber })?;
            }
        }
        Ok(Operand::new(operand.ty, from, at))
    }

    fn primary(&mut self) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        let ty = match self.peek().clone() {
            Kind::Int(int) => self.literal(Value::Int(int), Type::Int)?,
            Kind::Float(float) => self.literal(Value::Float(float), Type::Float)?,
            Kind::Text(written) => self.literal(text(written), Type::Text)?,
            Kind::Word(word) => return self.word(&word),
            Kind::Symbol("(") => {
                self.advance();
                let inner = self.sequence()?;
                self.expect(")", "to close the bracket")?;
                return Ok(Operand { at, ..inner });
            }
            Kind::Symbol("[") => self.list_literal()?,
            Kind::Symbol("{") => self.map_literal()?,
            Kind::Symbol("#") => self.pointer()?,
            // `.field` is `#.field`; the dot is left for what follows.
            Kind::Symbol(".") => self.element(at)?,
            Kind::Symbol(_) | Kind::End => {
                let found = self.found();
                return Err(self.mistake(format!("expected a name, a text, a number or a bracket, found {found}")));
            }
        };
        Ok(Operand::new(ty, from, at))
    }

    fn literal(&mut self, value: Value<'static>, ty: Type) -> Result<Type, Mistake> {
        self.constant(value)?;
        self.advance();
        Ok(ty)
    }

    fn word(&mut self, word: &str) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        self.advance();
        let constant = match word {
            "true" => Some((Value::Bool(true), Type::Bool)),
            "false" => Some((Value::Bool(false), Type::Bool)),
            "nil" => Some((Value::Nil, Type::Nil)),
            "$env" => Some((Value::Record(Record::Stream), Type::Record(Record::Stream))),
            _ => None,
        };
        if let Some((value, ty)) = constant {
            self.constant(value)?;
            return Ok(Operand::new(ty, from, at));
        }
        if let Some(local) = self.scope.iter().rfind(|local| local.name == word) {
            let (slot, ty) = (local.slot, local.ty.clone());
            self.emit(Step::Local(slot))?;
            return Ok(Operand::new(ty, from, at));
        }
        if self.eat("(") {
            return self.call(word, at, None);
        }
        let named = Record::Stream.get(word).ok_or_else(|| unknown_name(word, at))?;
        self.named_value(named)?;
        let ranked =
            [Ranked::Resolution, Ranked::Quality, Ranked::Size].into_iter().find(|ranked| ranked.name() == word);
        Ok(Operand { ranked, ..Operand::new(Type::of(named), from, at) })
    }

    fn named_value(&mut self, named: Named) -> Result<(), Mistake> {
        match named {
            Named::Field(field) => self.emit(Step::Field(field))?,
            Named::Record(record) => self.constant(Value::Record(record))?,
        };
        Ok(())
    }

    fn element(&mut self, at: usize) -> Result<Type, Mistake> {
        let Some(ty) = self.elements.last().cloned() else {
            return Err(Mistake::new(
                at,
                "# stands for an element, inside a function such as any(Languages, # == \"en\")",
            ));
        };
        self.emit(Step::Element)?;
        Ok(ty)
    }

    /// `#` or `#index`.
    fn pointer(&mut self) -> Result<Type, Mistake> {
        let at = self.at();
        self.advance();
        let adjacent = self.at() == at + 1;
        match self.peek() {
            Kind::Word(word) if adjacent && word == "index" && !self.elements.is_empty() => {
                self.advance();
                self.emit(Step::Position)?;
                Ok(Type::Int)
            }
            Kind::Word(word) if adjacent => {
                let message = format!("#{word} is unknown; # is the element and #index its place");
                Err(Mistake::new(at, message))
            }
            _ => self.element(at),
        }
    }

    fn list_literal(&mut self) -> Result<Type, Mistake> {
        let from = self.here();
        self.advance();
        let (mut count, mut element) = (0_usize, None::<Type>);
        while !self.eat("]") {
            if count > 0 {
                self.expect(",", "between the elements of the list")?;
                if self.eat("]") {
                    break;
                }
            }
            let item = self.expression(0)?;
            element = Some(element.map_or(item.ty.clone(), |so_far| so_far.or(item.ty)));
            count += 1;
        }
        self.list(from, count)?;
        Ok(Type::list_of(element.unwrap_or(Type::Any)))
    }

    fn map_literal(&mut self) -> Result<Type, Mistake> {
        self.advance();
        let mut count = 0_u16;
        while !self.eat("}") {
            if count > 0 {
                self.expect(",", "between the pairs of the map")?;
                if self.eat("}") {
                    break;
                }
            }
            match self.peek().clone() {
                Kind::Word(key) | Kind::Text(key) => self.literal(text(key), Type::Text)?,
                Kind::Int(key) => self.literal(text(key.to_string()), Type::Text)?,
                Kind::Symbol("(") => {
                    self.advance();
                    let key = self.sequence()?;
                    self.require(&key, key.ty.may_be_text(), "a key", "a text")?;
                    self.expect(")", "after the key")?;
                    Type::Text
                }
                _ => {
                    let found = self.found();
                    return Err(self.mistake(format!("expected a key and :, found {found}")));
                }
            };
            self.expect(":", "after the key")?;
            self.expression(0)?;
            count += 1;
        }
        self.emit(Step::Map(count))?;
        Ok(Type::Map)
    }

    /// Members, indexes and slices.
    pub(super) fn postfix(&mut self, mut operand: Operand) -> Result<Operand, Mistake> {
        let mut escapes = Vec::new();
        loop {
            if self.eat(".") {
                operand = self.member(&operand)?;
            } else if self.eat("?.") {
                escapes.push(self.emit(Step::KeepIfNil(0))?);
                operand = if self.eat("[") { self.index(&operand)? } else { self.member(&operand)? };
            } else if self.eat("[") {
                operand = self.index(&operand)?;
            } else {
                break;
            }
        }
        let optional = !escapes.is_empty();
        for escape in escapes {
            self.land(escape);
        }
        Ok(if optional { operand.becomes(Type::Any) } else { operand })
    }

    fn member(&mut self, of: &Operand) -> Result<Operand, Mistake> {
        let at = self.at();
        let Kind::Word(name) = self.peek().clone() else {
            let found = self.found();
            return Err(self.mistake(format!("after the dot comes a name, not {found}")));
        };
        self.advance();
        let known = match &of.ty {
            Type::Record(record) => Some(record.get(&name).ok_or_else(|| unknown_member(*record, &name, at))?),
            Type::Any | Type::Map => None,
            _ => {
                let says = of.ty.says();
                return Err(Mistake::new(at, format!("{says} has no member {}", quoted(&name))));
            }
        };
        match (known, self.constant_in(of.from, self.here())) {
            (Some(named), Some(Value::Record(record))) => {
                let file = *record == Record::File && of.ty == Type::Record(Record::File);
                self.program.steps.truncate(of.from);
                self.named_value(named)?;
                let ranked = (file && name == "Size").then_some(Ranked::FileSize);
                return Ok(Operand { ranked, ..of.becomes(Type::of(named)) });
            }
            _ => {
                let index = self.keep(text(&name))?;
                self.emit(Step::Member(index))?;
            }
        }
        Ok(of.becomes(known.map_or(Type::Any, Type::of)))
    }

    /// `[i]`, `[i:j]`, `[i:]`, `[:j]`; the bracket is open.
    fn index(&mut self, of: &Operand) -> Result<Operand, Mistake> {
        let sliceable = of.ty.may_be_list() || of.ty.may_be_text();
        self.require(of, sliceable || of.ty.may_be_map(), "a bracket", "a list, a text or a group before it")?;
        let from = if self.is_symbol(":") { None } else { Some(self.expression(0)?) };
        if self.eat(":") {
            let to = if self.is_symbol("]") { None } else { Some(self.expression(0)?) };
            self.expect("]", "after the slice")?;
            self.require(of, sliceable, "a slice", "a list or a text")?;
            for end in from.iter().chain(&to) {
                self.require(end, end.ty.may_be_int(), "a slice", "whole numbers")?;
            }
            self.emit(Step::Slice { from: from.is_some(), to: to.is_some() })?;
            return Ok(of.becomes(of.ty.clone()));
        }
        self.expect("]", "after the index")?;
        let Some(index) = from else { return Err(self.mistake("the bracket holds no index")) };
        let fits = if of.ty.may_be_map() && index.ty.may_be_text() { true } else { sliceable && index.ty.may_be_int() };
        self.require(&index, fits, "an index", if sliceable { "a whole number" } else { "a text" })?;
        self.emit(Step::Index)?;
        Ok(of.becomes(match &of.ty {
            Type::List(element) => (**element).clone(),
            Type::Text => Type::Text,
            _ => Type::Any,
        }))
    }
}

fn unknown_name(word: &str, at: usize) -> Mistake {
    let name = quoted(word);
    if builtin::find(word).is_some() || Predicate::find(word).is_some() {
        return Mistake::new(at, format!("{name} is a function; write {word}(…)"));
    }
    match Record::Stream.near(word) {
        Some(near) => Mistake::new(at, format!("{name} is unknown; write {near}")),
        None => Mistake::new(at, format!("{name} is unknown; put texts in quotes, and see the list of names")),
    }
}

fn unknown_member(record: Record, word: &str, at: usize) -> Mistake {
    let name = quoted(word);
    let names: Vec<&str> = match record {
        Record::Stream => Vec::new(),
        _ => record.fields().iter().map(|field: &Field| field.name).collect(),
    };
    match record.near(word) {
        Some(near) => Mistake::new(at, format!("{name} is unknown; write {near}")),
        None if names.is_empty() => Mistake::new(at, format!("{name} is unknown; see the list of names")),
        None => Mistake::new(at, format!("{name} is unknown here; known are {}", names.join(", "))),
    }
}
