//! What expressions mean, with placeholders resolved.

use std::fmt;

use rolecall_wire::AttributeValue;

/// One step of a document path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    /// An entry of a map; the first step is an attribute of the item.
    Name(String),
    /// An element of a list.
    Index(usize),
}

/// A document path, never empty; its first element is a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(crate) Vec<Element>);

impl Path {
    /// A path to a top-level attribute.
    pub(crate) fn attribute(name: impl Into<String>) -> Self {
        Self(vec![Element::Name(name.into())])
    }

    /// The attribute of the item that the path begins with.
    pub(crate) fn root(&self) -> &str {
        match self.0.first() {
            Some(Element::Name(name)) => name,
            _ => "",
        }
    }

    /// The attribute's name, if the path is nothing else.
    pub(crate) fn as_attribute(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Element::Name(name)] => Some(name),
            _ => None,
        }
    }
}

/// As error messages write paths: `[a, [0], b]`.
impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (position, element) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(", ")?;
            }
            match element {
                Element::Name(name) => formatter.write_str(name)?,
                Element::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        formatter.write_str("]")
    }
}

/// A comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// As written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparator with its sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// What a condition compares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// What the item has there.
    Path(Path),
    /// A value of `ExpressionAttributeValues`.
    Value(AttributeValue),
    /// `size(path)`
    Size(Path),
}

/// A condition, filter or key condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds at least.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two operands compare so.
    Compare(Comparator, Operand, Operand),
    /// First operand is neither below the second nor above the third.
    Between(Operand, Operand, Operand),
    /// First operand equals one of the others.
    In(Operand, Vec<Operand>),
    /// `attribute_exists`
    Exists(Path),
    /// `attribute_not_exists`
    NotExists(Path),
    /// `attribute_type`
    TypeIs(Path, String),
    /// `begins_with`
    BeginsWith(Operand, Operand),
    /// `contains`
    Contains(Operand, Operand),
}

/// A section of an update expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// `SET`
    Set,
    /// `REMOVE`
    Remove,
    /// `ADD`
    Add,
    /// `DELETE`
    Delete,
}

impl Section {
    /// The keyword.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Remove => "REMOVE",
            Self::Add => "ADD",
            Self::Delete => "DELETE",
        }
    }
}

/// What `SET` assigns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SetValue {
    /// An operand alone.
    Is(SetOperand),
    /// A sum of two numbers.
    Plus(SetOperand, SetOperand),
    /// A difference of two numbers.
    Minus(SetOperand, SetOperand),
}

/// An operand of `SET`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SetOperand {
    /// What the item has there.
    Path(Path),
    /// A value of `ExpressionAttributeValues`.
    Value(AttributeValue),
    /// `if_not_exists(path, operand)`
    IfNotExists(Path, Box<SetValue>),
    /// `list_append(operand, operand)`
    ListAppend(Box<SetValue>, Box<SetValue>),
}

/// An update: all of it is applied, or nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Update {
    /// `SET path = value`
    pub(crate) set: Vec<(Path, SetValue)>,
    /// `REMOVE path`
    pub(crate) remove: Vec<Path>,
    /// `ADD path :value`
    pub(crate) add: Vec<(Path, AttributeValue)>,
    /// `DELETE path :value`
    pub(crate) delete: Vec<(Path, AttributeValue)>,
}

impl Update {
    /// Every path that is written.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.set
            .iter()
            .map(|(path, _)| path)
            .chain(&self.remove)
            .chain(self.add.iter().map(|(path, _)| path))
            .chain(self.delete.iter().map(|(path, _)| path))
    }

    /// Every path that is read or written.
    pub(crate) fn paths_used(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.paths().collect();
        for (_, value) in &self.set {
            value.collect_paths(&mut paths);
        }
        paths
    }
}

impl SetValue {
    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Is(operand) => operand.collect_paths(paths),
            Self::Plus(left, right) | Self::Minus(left, right) => {
                left.collect_paths(paths);
                right.collect_paths(paths);
            }
        }
    }
}

impl SetOperand {
    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Path(path) => paths.push(path),
            Self::Value(_) => {}
            Self::IfNotExists(path, value) => {
                paths.push(path);
                value.collect_paths(paths);
            }
            Self::ListAppend(left, right) => {
                left.collect_paths(paths);
                right.collect_paths(paths);
            }
        }
    }
}

impl Condition {
    /// Every path that is read.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        let mut operand = |operand: &'a Operand| {
            if let Operand::Path(path) | Operand::Size(path) = operand {
                paths.push(path);
            }
        };
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.collect_paths(paths);
                right.collect_paths(paths);
            }
            Self::Not(inner) => inner.collect_paths(paths),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                operand(left);
                operand(right);
            }
            Self::Between(value, low, high) => [value, low, high].into_iter().for_each(operand),
            Self::In(value, list) => std::iter::once(value).chain(list).for_each(operand),
            Self::Exists(path) | Self::NotExists(path) | Self::TypeIs(path, _) => paths.push(path),
        }
    }
}
