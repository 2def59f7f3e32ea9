//! The compiler's state: tokens in, steps out.

use super::operand::Operand;
use super::program::{Place, Program, Step};
use super::token::{Kind, Token, tokens};
use super::types::Type;
use super::value::{List, Text, Value};
use super::{DEEPEST, LONGEST, MOST_NODES, Mistake};

/// Elements that lists and ranges of literals may have, all together.
const MOST_ELEMENTS: usize = 2_000;

/// Compiles a source to a program whose result is a yes or no, as far as can be known.
pub(super) fn program(source: &str) -> Result<Program, Mistake> {
    if source.len() > LONGEST {
        let length = source.len();
        return Err(Mistake::new(0, format!("the filter has {length} bytes; at most {LONGEST} are taken")));
    }
    let mut compiler = Compiler::new(tokens(source)?);
    if *compiler.peek() == Kind::End {
        compiler.constant(Value::Bool(true))?;
        return Ok(compiler.program);
    }
    let result = compiler.sequence()?;
    if *compiler.peek() != Kind::End {
        let found = compiler.found();
        let message = format!("{found} does not belong here; join conditions with && or ||");
        return Err(compiler.mistake(message));
    }
    if !result.ty.may_be_bool() {
        let says = result.ty.says();
        let message =
            format!("a filter must say yes or no, but this is {says}; compare it with something, as in Seeders > 3");
        return Err(Mistake::new(result.at, message));
    }
    Ok(compiler.program)
}

/// A name given by `let`.
pub(super) struct Local {
    pub(super) name: String,
    pub(super) slot: u16,
    pub(super) ty: Type,
}

pub(super) struct Compiler {
    tokens: Vec<Token>,
    next: usize,
    pub(super) program: Program,
    /// Names in sight, innermost last.
    pub(super) scope: Vec<Local>,
    /// Types of `#`, innermost last.
    pub(super) elements: Vec<Type>,
    depth: usize,
    folded: usize,
}

impl Compiler {
    fn new(tokens: Vec<Token>) -> Self {
        Self {
            tokens,
            next: 0,
            program: Program::default(),
            scope: Vec::new(),
            elements: Vec::new(),
            depth: 0,
            folded: 0,
        }
    }

    pub(super) fn peek(&self) -> &Kind {
        self.peek_after(0)
    }

    /// The token `ahead` of the next one.
    pub(super) fn peek_after(&self, ahead: usize) -> &Kind {
        self.tokens.get(self.next + ahead).map_or(&Kind::End, |token| &token.kind)
    }

    /// Where the next token is.
    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |token| token.at)
    }

    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Kind::Symbol(found) if *found == symbol)
    }

    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Word(found) if found == word);
        self.next += usize::from(found);
        found
    }

    /// The symbol must come now; `what` says why.
    pub(super) fn expect(&mut self, symbol: &str, what: &str) -> Result<(), Mistake> {
        if self.eat(symbol) {
            return Ok(());
        }
        let found = self.found();
        Err(self.mistake(format!("expected {symbol} {what}, found {found}")))
    }

    /// A mistake at the next token.
    pub(super) fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.at(), message)
    }

    /// The next token, as a sentence says it.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            Kind::End => "the end".to_owned(),
            Kind::Int(_) | Kind::Float(_) => "a number".to_owned(),
            Kind::Text(_) => "a text".to_owned(),
            Kind::Word(word) => quoted(word),
            Kind::Symbol(symbol) => quoted(symbol),
        }
    }

    /// Runs a part one level deeper.
    pub(super) fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        if self.depth >= DEEPEST {
            return Err(self.mistake(format!("the filter is nested more than {DEEPEST} deep; make it flatter")));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// The number of steps so far, which is where the next one goes.
    pub(super) fn here(&self) -> usize {
        self.program.steps.len()
    }

    pub(super) fn emit(&mut self, step: Step) -> Result<usize, Mistake> {
        let place = self.here();
        if place >= MOST_NODES {
            return Err(self.mistake(format!("the filter has more than {MOST_NODES} parts; make it simpler")));
        }
        self.program.steps.push(step);
        Ok(place)
    }

    pub(super) fn constant(&mut self, value: Value<'static>) -> Result<usize, Mistake> {
        let index = self.keep(value)?;
        self.emit(Step::Constant(index))
    }

    /// A constant without a step of its own.
    pub(super) fn keep(&mut self, value: Value<'static>) -> Result<u16, Mistake> {
        let index = u16::try_from(self.program.constants.len()).map_err(|_| self.mistake("too many literals"))?;
        self.program.constants.push(value);
        Ok(index)
    }

    /// The constant, when the steps in a range are one constant.
    pub(super) fn constant_in(&self, from: usize, to: usize) -> Option<&Value<'static>> {
        match self.program.steps.get(from..to)? {
            [Step::Constant(index)] => self.program.constants.get(usize::from(*index)),
            _ => None,
        }
    }

    /// Lets the jump at a place go to here.
    pub(super) fn land(&mut self, jump: usize) {
        // Fits: there are at most MOST_NODES steps.
        let here = Place::try_from(self.here()).unwrap_or(Place::MAX);
        match self.program.steps.get_mut(jump) {
            Some(
                Step::Jump(to)
                | Step::JumpIfFalse(to)
                | Step::KeepIfFalse(to)
                | Step::KeepIfTrue(to)
                | Step::KeepIfNil(to)
                | Step::KeepIfSome(to)
                | Step::Each(_, to),
            ) => *to = here,
            Some(Step::Compare(comparison)) => comparison.chain = Some(here),
            _ => {}
        }
    }

    /// Counts elements of literal lists, which live as long as the filter.
    pub(super) fn fold(&mut self, elements: usize) -> Result<(), Mistake> {
        self.folded = self.folded.saturating_add(elements);
        if self.folded > MOST_ELEMENTS {
            return Err(self.mistake(format!("lists and ranges of more than {MOST_ELEMENTS} elements are too long")));
        }
        Ok(())
    }

    /// Makes a list of the values that the steps since `from` leave: a constant one, if they are constants.
    pub(super) fn list(&mut self, from: usize, count: usize) -> Result<(), Mistake> {
        let steps = self.program.steps.get(from..).unwrap_or_default();
        let constants: Option<Vec<Value<'static>>> = steps
            .iter()
            .map(|step| match step {
                Step::Constant(index) => self.program.constants.get(usize::from(*index)).cloned(),
                _ => None,
            })
            .collect();
        match constants {
            Some(items) if items.len() == count => {
                self.fold(count)?;
                self.program.steps.truncate(from);
                self.constant(Value::List(List::Made(items.into())))?;
            }
            _ => {
                let count = u16::try_from(count).map_err(|_| self.mistake("the list is too long"))?;
                self.emit(Step::List(count))?;
            }
        }
        Ok(())
    }

    /// Requires a type; the mistake is at the operand.
    pub(super) fn require(&self, operand: &Operand, fits: bool, who: &str, needs: &str) -> Result<(), Mistake> {
        if fits {
            return Ok(());
        }
        let says = operand.ty.says();
        Err(Mistake::new(operand.at, format!("{who} needs {needs}, but this is {says}")))
    }
}

/// A text constant.
pub(super) fn text(text: impl AsRef<str>) -> Value<'static> {
    Value::Text(Text::Made(text.as_ref().into()))
}

/// A word of the viewer's, shortened.
pub(super) fn quoted(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    format!("“{short}”")
}
