//! Tokens to syntax: recursive descent with a bound on depth and on the number of operators.
//!
//! The rules that AWS checks before it looks at any item (operand types, reserved words, redundant parentheses) are
//! checked here, with its texts.

use rolecall_service::ServiceError;
use rolecall_wire::AttributeValue;

use super::lexer::{Token, TokenKind, tokens};
use super::projection::check_paths;
use super::reserved::is_reserved;
use super::{
    Comparator, Condition, Element, Kind, Operand, Path, Placeholders, Section, SetOperand, SetValue, Update,
};
use crate::error::Result;
use crate::item;

/// Longest expression, in bytes.
const MAX_SIZE: usize = 4096;
/// Most operators and functions in one expression.
const MAX_OPERATORS: usize = 300;
/// Deepest parentheses and functions. An expression within the other limits hardly needs more than a few.
const MAX_NESTING: usize = 100;
/// Most operands of `IN`.
const MAX_IN: usize = 100;
/// Longest path.
const MAX_PATH: usize = item::MAX_DEPTH;

/// Parses a condition, filter or key condition.
pub(crate) fn parse_condition(
    kind: Kind,
    text: &str,
    placeholders: &mut Placeholders<'_>,
) -> Result<Condition> {
    let mut parser = Parser::new(kind, text, placeholders)?;
    // One pair around the whole is fine (boto3's conditions come so); a second one is not.
    let (condition, _) = parser.or()?;
    parser.end()?;
    if parser.redundant {
        return Err(parser.error("The expression has redundant parentheses;"));
    }
    Ok(condition)
}

/// Parses the paths of a projection.
pub(crate) fn parse_projection(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Vec<Path>> {
    let mut parser = Parser::new(Kind::Projection, text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.accept(",") {
        paths.push(parser.path()?);
    }
    parser.end()?;
    check_paths(Kind::Projection, paths.iter())?;
    Ok(paths)
}

/// Parses an update.
pub(crate) fn parse_update(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Update> {
    let mut parser = Parser::new(Kind::Update, text, placeholders)?;
    let update = parser.update()?;
    check_paths(Kind::Update, update.paths())?;
    Ok(update)
}

struct Parser<'t, 'p, 'n> {
    kind: Kind,
    text: &'t str,
    tokens: Vec<Token<'t>>,
    position: usize,
    nesting: usize,
    operators: usize,
    redundant: bool,
    placeholders: &'p mut Placeholders<'n>,
}

impl<'t, 'p, 'n> Parser<'t, 'p, 'n> {
    fn new(kind: Kind, text: &'t str, placeholders: &'p mut Placeholders<'n>) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(kind.error("The expression can not be empty;"));
        }
        if text.len() > MAX_SIZE {
            return Err(kind.error(format_args!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let tokens = tokens(text);
        Ok(Self {
            kind,
            text,
            tokens,
            position: 0,
            nesting: 0,
            operators: 0,
            redundant: false,
            placeholders,
        })
    }

    fn error(&self, problem: impl std::fmt::Display) -> ServiceError {
        self.kind.error(problem)
    }

    fn token(&self, position: usize) -> Token<'t> {
        let end = Token {
            kind: TokenKind::End,
            text: "<EOF>",
            start: self.text.len(),
            end: self.text.len(),
        };
        self.tokens.get(position).copied().unwrap_or(end)
    }

    fn peek(&self) -> Token<'t> {
        self.token(self.position)
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.position = self.position.saturating_add(1);
        token
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.peek().is(symbol);
        if found {
            self.position = self.position.saturating_add(1);
        }
        found
    }

    fn accept_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_keyword(keyword);
        if found {
            self.position = self.position.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.accept(symbol) {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    fn end(&self) -> Result<()> {
        if self.peek().kind == TokenKind::End {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    /// The token that does not fit, with its neighbours as written.
    fn syntax_error(&self) -> ServiceError {
        let token = self.peek();
        let previous = self
            .position
            .checked_sub(1)
            .map_or(token, |position| self.token(position));
        let following = self.token(self.position.saturating_add(1));
        let near = self
            .text
            .get(previous.start..following.end.max(token.end))
            .unwrap_or("");
        self.error(format_args!(
            "Syntax error; token: \"{}\", near: \"{near}\"",
            token.text
        ))
    }

    fn operator(&mut self) -> Result<()> {
        self.operators = self.operators.saturating_add(1);
        if self.operators > MAX_OPERATORS {
            return Err(self.too_many_operators());
        }
        Ok(())
    }

    fn too_many_operators(&self) -> ServiceError {
        self.error(format_args!(
            "The expression contains too many operators or functions; maximum allowed: {MAX_OPERATORS}"
        ))
    }

    /// Enters parentheses or a function; pair it with [`leave`](Self::leave).
    fn enter(&mut self) -> Result<()> {
        self.nesting = self.nesting.saturating_add(1);
        if self.nesting > MAX_NESTING {
            return Err(self.error(format_args!(
                "The expression's nesting level exceeds the maximum allowed; maximum nesting levels: {MAX_NESTING}"
            )));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
    }

    // Conditions. The flag beside a condition says whether it stands in parentheses.

    fn or(&mut self) -> Result<(Condition, bool)> {
        let (mut condition, mut parenthesised) = self.and()?;
        while self.accept_keyword("OR") {
            self.operator()?;
            let (right, _) = self.and()?;
            condition = Condition::Or(Box::new(condition), Box::new(right));
            parenthesised = false;
        }
        Ok((condition, parenthesised))
    }

    fn and(&mut self) -> Result<(Condition, bool)> {
        let (mut condition, mut parenthesised) = self.not()?;
        while self.accept_keyword("AND") {
            self.operator()?;
            let (right, _) = self.not()?;
            condition = Condition::And(Box::new(condition), Box::new(right));
            parenthesised = false;
        }
        Ok((condition, parenthesised))
    }

    fn not(&mut self) -> Result<(Condition, bool)> {
        let mut count = 0_usize;
        while self.accept_keyword("NOT") {
            self.operator()?;
            count = count.saturating_add(1);
        }
        let (mut condition, parenthesised) = self.primary()?;
        for _ in 0..count {
            condition = Condition::Not(Box::new(condition));
        }
        Ok((condition, parenthesised && count == 0))
    }

    fn primary(&mut self) -> Result<(Condition, bool)> {
        if self.peek().is("(") {
            self.enter()?;
            self.next();
            let (condition, parenthesised) = self.or()?;
            self.expect(")")?;
            self.leave();
            self.redundant |= parenthesised;
            return Ok((condition, true));
        }
        let token = self.peek();
        if token.kind == TokenKind::Identifier
            && self.token(self.position.saturating_add(1)).is("(")
            && token.text != "size"
        {
            return Ok((self.function()?, false));
        }
        Ok((self.comparison()?, false))
    }

    fn comparison(&mut self) -> Result<Condition> {
        let left = self.operand()?;
        let token = self.peek();
        let comparator = match token.text {
            "=" => Some(Comparator::Equal),
            "<>" => Some(Comparator::NotEqual),
            "<" => Some(Comparator::Less),
            "<=" => Some(Comparator::LessOrEqual),
            ">" => Some(Comparator::Greater),
            ">=" => Some(Comparator::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparator) = comparator {
            self.operator()?;
            self.next();
            let right = self.operand()?;
            self.check_distinct(comparator.symbol(), &left, [&right])?;
            if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
                for operand in [&left, &right] {
                    self.check_ordered(comparator.symbol(), operand)?;
                }
            }
            return Ok(Condition::Compare(comparator, left, right));
        }
        if self.accept_keyword("BETWEEN") {
            self.operator()?;
            let low = self.operand()?;
            if !self.accept_keyword("AND") {
                return Err(self.syntax_error());
            }
            let high = self.operand()?;
            self.check_distinct("BETWEEN", &left, [&low, &high])?;
            self.check_bounds(&low, &high)?;
            return Ok(Condition::Between(left, low, high));
        }
        if self.accept_keyword("IN") {
            self.operator()?;
            self.expect("(")?;
            let mut list = vec![self.operand()?];
            while self.accept(",") {
                list.push(self.operand()?);
            }
            self.expect(")")?;
            if list.len() > MAX_IN {
                return Err(self.error(format_args!(
                    "The IN operator is provided with too many operands; number of operands: {}",
                    list.len()
                )));
            }
            self.check_distinct("IN", &left, &list)?;
            return Ok(Condition::In(left, list));
        }
        Err(self.syntax_error())
    }

    fn check_distinct<'o>(
        &self,
        operator: &str,
        first: &Operand,
        rest: impl IntoIterator<Item = &'o Operand>,
    ) -> Result<()> {
        let Operand::Path(path) = first else { return Ok(()) };
        if rest.into_iter().any(|operand| operand == first) {
            return Err(self.error(format_args!(
                "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {path}"
            )));
        }
        Ok(())
    }

    fn check_ordered(&self, operator: &str, operand: &Operand) -> Result<()> {
        match operand {
            Operand::Value(value) if !is_ordered(value) => Err(self.error(format_args!(
                "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}",
                value.data_type()
            ))),
            _ => Ok(()),
        }
    }

    fn check_bounds(&self, low: &Operand, high: &Operand) -> Result<()> {
        self.check_ordered("BETWEEN", low)?;
        self.check_ordered("BETWEEN", high)?;
        let (Operand::Value(low), Operand::Value(high)) = (low, high) else {
            return Ok(());
        };
        let shown = || {
            format!(
                "lower bound operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
                item::display(low),
                item::display(high)
            )
        };
        match item::compare(low, high) {
            None => Err(self.error(format_args!(
                "The BETWEEN operator requires same data type for lower and upper bounds; {}",
                shown()
            ))),
            Some(std::cmp::Ordering::Greater) => Err(self.error(format_args!(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {}",
                shown()
            ))),
            Some(_) => Ok(()),
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        let token = self.peek();
        match token.kind {
            TokenKind::ValuePlaceholder => {
                self.next();
                Ok(Operand::Value(self.placeholders.value(self.kind, token.text)?))
            }
            TokenKind::Identifier if self.token(self.position.saturating_add(1)).is("(") => {
                if token.text != "size" {
                    let known = matches!(
                        token.text,
                        "attribute_exists"
                            | "attribute_not_exists"
                            | "attribute_type"
                            | "begins_with"
                            | "contains"
                    );
                    return Err(if known {
                        self.misplaced(token.text)
                    } else {
                        self.unknown_function(token.text)
                    });
                }
                self.operator()?;
                let mut operands = self.arguments("size", 1)?;
                match operands.pop() {
                    Some(Operand::Path(path)) => Ok(Operand::Size(path)),
                    Some(Operand::Value(value)) => Err(self.error(format_args!(
                        "Incorrect operand type for operator or function; operator or function: size, operand type: {}",
                        value.data_type()
                    ))),
                    _ => Err(self.misplaced("size")),
                }
            }
            _ => Ok(Operand::Path(self.path()?)),
        }
    }

    fn misplaced(&self, function: &str) -> ServiceError {
        self.error(format_args!(
            "The function is not allowed to be used this way in an expression; function: {function}"
        ))
    }

    fn unknown_function(&self, function: &str) -> ServiceError {
        self.error(format_args!("Invalid function name; function: {function}"))
    }

    /// A function's name and its operands in parentheses.
    fn arguments(&mut self, function: &str, count: usize) -> Result<Vec<Operand>> {
        self.enter()?;
        self.next();
        self.expect("(")?;
        let mut operands = Vec::new();
        if !self.peek().is(")") {
            operands.push(self.operand()?);
            while self.accept(",") {
                operands.push(self.operand()?);
            }
        }
        self.expect(")")?;
        self.leave();
        self.check_count(function, operands.len(), count)?;
        Ok(operands)
    }

    fn check_count(&self, function: &str, found: usize, wanted: usize) -> Result<()> {
        if found == wanted {
            return Ok(());
        }
        Err(self.error(format_args!(
            "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: {found}"
        )))
    }

    fn function(&mut self) -> Result<Condition> {
        let name = self.peek().text;
        let count = match name {
            "attribute_exists" | "attribute_not_exists" => 1,
            "attribute_type" | "begins_with" | "contains" => 2,
            "if_not_exists" | "list_append" => return Err(self.misplaced(name)),
            _ => return Err(self.unknown_function(name)),
        };
        self.operator()?;
        let mut operands = self.arguments(name, count)?;
        let second = if count == 2 { operands.pop() } else { None };
        let first = operands.pop();
        let condition = match (name, first, second) {
            ("attribute_exists", Some(Operand::Path(path)), _) => Condition::Exists(path),
            ("attribute_not_exists", Some(Operand::Path(path)), _) => Condition::NotExists(path),
            ("attribute_type", Some(Operand::Path(path)), Some(Operand::Value(AttributeValue::S(name)))) => {
                if !matches!(
                    name.as_str(),
                    "B" | "NULL" | "SS" | "BOOL" | "L" | "BS" | "N" | "NS" | "S" | "M"
                ) {
                    let name: String = name.chars().take(64).collect();
                    return Err(self.error(format_args!(
                        "Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
                    )));
                }
                Condition::TypeIs(path, name)
            }
            ("attribute_type", Some(Operand::Path(_)), Some(Operand::Value(value))) => {
                return Err(self.wrong_type("attribute_type", &value));
            }
            ("begins_with", Some(first), Some(second)) => {
                for operand in [&first, &second] {
                    match operand {
                        Operand::Value(AttributeValue::S(_) | AttributeValue::B(_)) | Operand::Path(_) => {}
                        Operand::Value(value) => return Err(self.wrong_type("begins_with", value)),
                        Operand::Size(_) => return Err(self.misplaced("size")),
                    }
                }
                self.check_distinct("begins_with", &first, [&second])?;
                Condition::BeginsWith(first, second)
            }
            ("contains", Some(first), Some(second)) => {
                self.check_distinct("contains", &first, [&second])?;
                Condition::Contains(first, second)
            }
            _ => {
                return Err(self.error(format_args!(
                    "Operator or function requires a document path; operator or function: {name}"
                )));
            }
        };
        Ok(condition)
    }

    fn wrong_type(&self, function: &str, value: &AttributeValue) -> ServiceError {
        self.error(format_args!(
            "Incorrect operand type for operator or function; operator or function: {function}, operand type: {}",
            value.data_type()
        ))
    }

    // Paths.

    fn path(&mut self) -> Result<Path> {
        let mut elements = vec![self.name()?];
        loop {
            if self.accept(".") {
                elements.push(self.name()?);
            } else if self.accept("[") {
                let token = self.peek();
                if token.kind != TokenKind::Integer {
                    return Err(self.syntax_error());
                }
                let index = token.text.parse().map_err(|_| {
                    self.error(format_args!(
                        "List index is not within the allowable range; index: [{}]",
                        token.text
                    ))
                })?;
                self.next();
                self.expect("]")?;
                elements.push(Element::Index(index));
            } else {
                break;
            }
            if elements.len() > MAX_PATH {
                return Err(self.error(format_args!(
                    "The document path has too many nesting elements; nesting levels: {}",
                    elements.len()
                )));
            }
        }
        Ok(Path(elements))
    }

    fn name(&mut self) -> Result<Element> {
        let token = self.peek();
        let name = match token.kind {
            TokenKind::NamePlaceholder => self.placeholders.name(self.kind, token.text)?,
            TokenKind::Identifier if is_reserved(token.text) && !self.is_misplaced_keyword(token) => {
                return Err(self.error(format_args!(
                    "Attribute name is a reserved keyword; reserved keyword: {}",
                    token.text
                )));
            }
            TokenKind::Identifier if !self.is_misplaced_keyword(token) => token.text.to_owned(),
            _ => return Err(self.syntax_error()),
        };
        self.next();
        Ok(Element::Name(name))
    }

    /// The grammar's own words are never names, so where a name should be they are a syntax error.
    fn is_misplaced_keyword(&self, token: Token<'_>) -> bool {
        let words: &[&str] = match self.kind {
            Kind::Update => &["SET", "REMOVE", "ADD", "DELETE"],
            Kind::Projection => &[],
            _ => &["AND", "OR", "NOT", "BETWEEN", "IN"],
        };
        words.iter().any(|word| token.text.eq_ignore_ascii_case(word))
    }

    // Updates.

    fn update(&mut self) -> Result<Update> {
        let mut update = Update::default();
        let mut seen = Vec::new();
        while self.peek().kind != TokenKind::End {
            let token = self.peek();
            let section = [Section::Set, Section::Remove, Section::Add, Section::Delete]
                .into_iter()
                .find(|section| token.is_keyword(section.name()))
                .ok_or_else(|| self.syntax_error())?;
            if seen.contains(&section) {
                return Err(self.error(format_args!(
                    "The \"{}\" section can only be used once in an update expression;",
                    section.name()
                )));
            }
            seen.push(section);
            self.next();
            loop {
                self.clause(section, &mut update)?;
                if !self.accept(",") {
                    break;
                }
            }
        }
        Ok(update)
    }

    fn clause(&mut self, section: Section, update: &mut Update) -> Result<()> {
        let path = self.path()?;
        self.operator()?;
        match section {
            Section::Set => {
                self.expect("=")?;
                let value = self.set_value()?;
                update.set.push((path, value));
            }
            Section::Remove => update.remove.push(path),
            Section::Add => {
                let value = self.literal()?;
                if !matches!(
                    value,
                    AttributeValue::N(_)
                        | AttributeValue::Ss(_)
                        | AttributeValue::Ns(_)
                        | AttributeValue::Bs(_)
                ) {
                    return Err(self.wrong_section_type("ADD", &value, "ALLOWED_FOR_ADD_OPERAND"));
                }
                update.add.push((path, value));
            }
            Section::Delete => {
                let value = self.literal()?;
                if !matches!(
                    value,
                    AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_)
                ) {
                    return Err(self.wrong_section_type("DELETE", &value, "ALLOWED_FOR_DELETE_OPERAND"));
                }
                update.delete.push((path, value));
            }
        }
        Ok(())
    }

    fn wrong_section_type(&self, section: &str, value: &AttributeValue, set: &str) -> ServiceError {
        self.error(format_args!(
            "Incorrect operand type for operator or function; operator: {section}, operand type: {}, typeSet: {set}",
            long_type_name(value)
        ))
    }

    fn literal(&mut self) -> Result<AttributeValue> {
        let token = self.peek();
        if token.kind != TokenKind::ValuePlaceholder {
            return Err(self.syntax_error());
        }
        self.next();
        self.placeholders.value(self.kind, token.text)
    }

    fn set_value(&mut self) -> Result<SetValue> {
        if self.peek().is("(") {
            self.enter()?;
            self.next();
            let value = self.set_value()?;
            self.expect(")")?;
            self.leave();
            return Ok(value);
        }
        let left = self.set_operand()?;
        let symbol = self.peek().text;
        if !matches!(symbol, "+" | "-") {
            return Ok(SetValue::Is(left));
        }
        self.operator()?;
        self.next();
        let right = self.set_operand()?;
        for operand in [&left, &right] {
            match operand {
                SetOperand::Value(AttributeValue::N(_))
                | SetOperand::Path(_)
                | SetOperand::IfNotExists(..) => {}
                SetOperand::Value(value) => return Err(self.wrong_type(symbol, value)),
                SetOperand::ListAppend(..) => {
                    return Err(self.error(format_args!(
                        "Incorrect operand type for operator or function; operator or function: {symbol}, operand type: L"
                    )));
                }
            }
        }
        Ok(if symbol == "+" {
            SetValue::Plus(left, right)
        } else {
            SetValue::Minus(left, right)
        })
    }

    fn set_operand(&mut self) -> Result<SetOperand> {
        let token = self.peek();
        if token.kind == TokenKind::ValuePlaceholder {
            return Ok(SetOperand::Value(self.literal()?));
        }
        if token.kind != TokenKind::Identifier || !self.token(self.position.saturating_add(1)).is("(") {
            return Ok(SetOperand::Path(self.path()?));
        }
        let name = token.text;
        match name {
            "if_not_exists" | "list_append" => {}
            "attribute_exists"
            | "attribute_not_exists"
            | "attribute_type"
            | "begins_with"
            | "contains"
            | "size" => {
                return Err(self.misplaced(name));
            }
            _ => return Err(self.unknown_function(name)),
        }
        self.operator()?;
        self.enter()?;
        self.next();
        self.expect("(")?;
        let mut values = Vec::new();
        if !self.peek().is(")") {
            values.push(self.set_value()?);
            while self.accept(",") {
                values.push(self.set_value()?);
            }
        }
        self.expect(")")?;
        self.leave();
        self.check_count(name, values.len(), 2)?;
        let (Some(second), Some(first)) = (values.pop(), values.pop()) else {
            return Err(self.misplaced(name));
        };
        if name == "if_not_exists" {
            let SetValue::Is(SetOperand::Path(path)) = first else {
                return Err(self.error(
                    "Operator or function requires a document path; operator or function: if_not_exists",
                ));
            };
            return Ok(SetOperand::IfNotExists(path, Box::new(second)));
        }
        for value in [&first, &second] {
            if let SetValue::Is(SetOperand::Value(value)) = value
                && !matches!(value, AttributeValue::L(_))
            {
                return Err(self.wrong_type("list_append", value));
            }
        }
        Ok(SetOperand::ListAppend(Box::new(first), Box::new(second)))
    }
}

fn is_ordered(value: &AttributeValue) -> bool {
    matches!(
        value,
        AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::B(_)
    )
}

fn long_type_name(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::S(_) => "STRING",
        AttributeValue::N(_) => "NUMBER",
        AttributeValue::B(_) => "BINARY",
        AttributeValue::Ss(_) => "STRING_SET",
        AttributeValue::Ns(_) => "NUMBER_SET",
        AttributeValue::Bs(_) => "BINARY_SET",
        AttributeValue::M(_) => "MAP",
        AttributeValue::L(_) => "LIST",
        AttributeValue::Null(_) => "NULL",
        AttributeValue::Bool(_) => "BOOLEAN",
    }
}
