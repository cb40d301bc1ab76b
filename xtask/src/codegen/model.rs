//! A service model cut down to the operations served.

use std::collections::{BTreeMap, BTreeSet};

use super::Outcome;
use super::json::Json;
use super::names;

/// The cut: what the emitter writes down.
pub(crate) struct Cut<'a> {
    /// The model's metadata.
    pub(crate) metadata: &'a Json,
    /// This project's settings for the service.
    pub(crate) settings: &'a Json,
    /// All operations, sorted by name.
    pub(crate) operations: Vec<Operation<'a>>,
    /// Shapes the served operations reach, by name; the position is the shape's index.
    pub(crate) shapes: BTreeMap<&'a str, Shape<'a>>,
    /// Names of the error shapes of the served operations.
    pub(crate) errors: BTreeSet<&'a str>,
}

/// An operation.
pub(crate) struct Operation<'a> {
    pub(crate) name: &'a str,
    pub(crate) model: &'a Json,
    pub(crate) served: bool,
    /// What must be in the query string: from the URI template, then (for REST-XML) the required query members.
    pub(crate) query: Vec<(&'a str, Option<&'a str>)>,
    pub(crate) header: Option<&'static str>,
}

/// A shape.
pub(crate) struct Shape<'a> {
    pub(crate) index: usize,
    pub(crate) model: &'a Json,
    /// Name of the Rust structure, for structures that get one.
    pub(crate) rust_name: Option<String>,
    pub(crate) constrained: bool,
    /// Secret itself, or a list or map of secrets.
    pub(crate) hidden: bool,
    /// Members that need a box because the structure contains itself.
    pub(crate) boxed: BTreeSet<&'a str>,
    /// Whether `Default` can be derived.
    pub(crate) has_default: bool,
}

impl<'a> Cut<'a> {
    /// Cuts `model` to the operations that `settings` lists.
    pub(crate) fn new(model: &'a Json, settings: &'a Json) -> Outcome<Self> {
        let metadata = model.field("metadata")?;
        let all = model.field("shapes")?;
        let served: BTreeSet<&str> = settings.texts("operations").into_iter().collect();
        let mut operations = Vec::new();
        for (name, operation) in model.field("operations")?.entries()? {
            operations.push(bind(
                name,
                operation,
                served.contains(name.as_str()),
                metadata,
                all,
            )?);
        }
        operations.sort_by_key(|operation| operation.name);
        for name in &served {
            if !operations.iter().any(|operation| operation.name == *name) {
                return Err(format!("the model has no operation `{name}`").into());
            }
        }

        let mut errors = BTreeSet::new();
        let mut reached = BTreeSet::new();
        for operation in operations.iter().filter(|operation| operation.served) {
            for side in ["input", "output"] {
                if let Some(shape) = operation.model.get(side) {
                    reach(all, shape.required_text("shape")?, &mut reached)?;
                }
            }
            for error in operation.model.elements("errors") {
                let shape = error.required_text("shape")?;
                errors.insert(shape);
                reach(all, shape, &mut reached)?;
            }
        }

        let mut shapes = BTreeMap::new();
        for (index, name) in reached.iter().enumerate() {
            let shape = all.field(name)?;
            let mut hiding = BTreeSet::new();
            shapes.insert(
                *name,
                Shape {
                    index,
                    model: shape,
                    rust_name: None,
                    constrained: false,
                    hidden: hidden(all, name, &mut hiding)?,
                    boxed: boxed_members(all, name, shape)?,
                    has_default: has_default(all, name, &mut BTreeSet::new())?,
                },
            );
        }
        mark_constrained(&mut shapes)?;
        let mut cut = Self {
            metadata,
            settings,
            operations,
            shapes,
            errors,
        };
        cut.name_structures()?;
        Ok(cut)
    }

    /// Inputs and outputs used by one operation only are called `{Operation}Input` and `{Operation}Output`.
    fn name_structures(&mut self) -> Outcome<()> {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for shape in self.shapes.values() {
            for reference in references(shape.model)? {
                *uses.entry(reference).or_default() += 1;
            }
        }
        let mut preferred: BTreeMap<&str, String> = BTreeMap::new();
        for operation in self.operations.iter().filter(|operation| operation.served) {
            for (side, suffix) in [("input", "Input"), ("output", "Output")] {
                if let Some(shape) = operation.model.get(side).and_then(|side| side.text("shape")) {
                    *uses.entry(shape).or_default() += 1;
                    preferred.insert(shape, format!("{}{suffix}", operation.name));
                }
            }
        }
        let mut taken = BTreeSet::new();
        for (name, shape) in &mut self.shapes {
            if shape.model.text("type") != Some("structure")
                || shape.model.text("rustType").is_some()
                || (shape.model.flag("exception") && !uses.contains_key(name))
            {
                continue;
            }
            let rust_name = match preferred.get(name) {
                Some(preferred) if uses.get(name) == Some(&1) => preferred.clone(),
                _ => names::type_name(name),
            };
            let reserved = [
                "Option", "Vec", "String", "Box", "Result", "Self", "Some", "None", "Ok", "Err",
            ];
            if reserved.contains(&rust_name.as_str()) || !taken.insert(rust_name.clone()) {
                return Err(format!("two types would be called `{rust_name}`").into());
            }
            shape.rust_name = Some(rust_name);
        }
        Ok(())
    }

    /// Index of a shape.
    pub(crate) fn index(&self, name: &str) -> Outcome<usize> {
        Ok(self.shape(name)?.index)
    }

    /// A reached shape.
    pub(crate) fn shape(&self, name: &str) -> Outcome<&Shape<'a>> {
        self.shapes
            .get(name)
            .ok_or_else(|| format!("shape `{name}` is not reached").into())
    }
}

fn bind<'a>(
    name: &'a str,
    model: &'a Json,
    served: bool,
    metadata: &Json,
    shapes: &'a Json,
) -> Outcome<Operation<'a>> {
    let uri = model.field("http")?.required_text("requestUri")?;
    let mut query = Vec::new();
    if let Some((_, text)) = uri.split_once('?') {
        for pair in text.split('&') {
            query.push(
                pair.split_once('=')
                    .map_or((pair, None), |(key, value)| (key, Some(value))),
            );
        }
    }
    let mut header = None;
    // Amazon S3 tells operations with the same method and path apart by their required members.
    if metadata.text("protocol") == Some("rest-xml")
        && let Some(input) = model.get("input").and_then(|input| input.text("shape"))
    {
        let input = shapes.field(input)?;
        let required = input.texts("required");
        for (member_name, member) in input.field("members")?.entries()? {
            if !required.contains(&member_name.as_str()) {
                continue;
            }
            let wire_name = member.text("locationName").unwrap_or(member_name);
            match member.text("location") {
                Some("querystring") if !query.iter().any(|(key, _)| *key == wire_name) => {
                    query.push((wire_name, None));
                }
                Some("header") if wire_name == "x-amz-copy-source" => header = Some("x-amz-copy-source"),
                _ => {}
            }
        }
    }
    Ok(Operation {
        name,
        model,
        served,
        query,
        header,
    })
}

/// Names of the shapes a shape refers to.
pub(crate) fn references(shape: &Json) -> Outcome<Vec<&str>> {
    let mut found = Vec::new();
    if let Some(members) = shape.get("members") {
        for (_, member) in members.entries()? {
            found.push(member.required_text("shape")?);
        }
    }
    for part in ["member", "key", "value"] {
        if let Some(part) = shape.get(part) {
            found.push(part.required_text("shape")?);
        }
    }
    Ok(found)
}

fn reach<'a>(all: &'a Json, name: &'a str, reached: &mut BTreeSet<&'a str>) -> Outcome<()> {
    if reached.insert(name) {
        for reference in references(all.field(name)?)? {
            reach(all, reference, reached)?;
        }
    }
    Ok(())
}

fn hidden<'a>(all: &'a Json, name: &'a str, seen: &mut BTreeSet<&'a str>) -> Outcome<bool> {
    let shape = all.field(name)?;
    if shape.flag("sensitive") {
        return Ok(true);
    }
    if !seen.insert(name) {
        return Ok(false);
    }
    for part in ["member", "key", "value"] {
        if let Some(part) = shape.get(part)
            && hidden(all, part.required_text("shape")?, seen)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Members through which a structure contains itself without a list or map in between.
fn boxed_members<'a>(all: &'a Json, name: &str, shape: &'a Json) -> Outcome<BTreeSet<&'a str>> {
    let mut boxed = BTreeSet::new();
    if let Some(members) = shape.get("members") {
        for (member_name, member) in members.entries()? {
            if contains(all, member.required_text("shape")?, name, &mut BTreeSet::new())? {
                boxed.insert(member_name.as_str());
            }
        }
    }
    Ok(boxed)
}

fn contains<'a>(all: &'a Json, from: &'a str, target: &str, seen: &mut BTreeSet<&'a str>) -> Outcome<bool> {
    if from == target {
        return Ok(true);
    }
    if !seen.insert(from) {
        return Ok(false);
    }
    if let Some(members) = all.field(from)?.get("members") {
        for (_, member) in members.entries()? {
            if contains(all, member.required_text("shape")?, target, seen)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A type that is written by hand has no default, nor has a structure that requires one.
fn has_default<'a>(all: &'a Json, name: &'a str, seen: &mut BTreeSet<&'a str>) -> Outcome<bool> {
    let shape = all.field(name)?;
    if shape.text("rustType").is_some() {
        return Ok(false);
    }
    if !seen.insert(name) {
        return Ok(true);
    }
    if let Some(members) = shape.get("members") {
        let required = shape.texts("required");
        for (member_name, member) in members.entries()? {
            let member = member.required_text("shape")?;
            if required.contains(&member_name.as_str()) && !has_default(all, member, seen)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Marks shapes with something to check in them or below, until nothing changes.
fn mark_constrained(shapes: &mut BTreeMap<&str, Shape<'_>>) -> Outcome<()> {
    loop {
        let marked: BTreeSet<String> = shapes
            .iter()
            .filter(|(_, shape)| shape.constrained)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let mut changed = false;
        for shape in shapes.values_mut().filter(|shape| !shape.constrained) {
            // A type written by hand checks itself.
            let own = shape.model.text("rustType").is_none()
                && (["min", "max", "pattern"]
                    .iter()
                    .any(|constraint| shape.model.get(constraint).is_some())
                    || !shape.model.elements("enum").is_empty()
                    || !shape.model.elements("required").is_empty());
            let below = shape.model.text("rustType").is_none()
                && references(shape.model)?
                    .iter()
                    .any(|reference| marked.contains(*reference));
            if own || below {
                shape.constrained = true;
                changed = true;
            }
        }
        if !changed {
            return Ok(());
        }
    }
}
