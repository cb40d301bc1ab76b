//! What each operation needs: actions, resources and condition keys of the service authorization reference.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of them"
)]

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rolecall_service::{Access, Needs, RequestContext};
use rolecall_wire::AttributeValue;

use crate::DynamoDb;
use crate::error::{Result, validation};
use crate::expression::{Condition, Kind, Placeholders, parse_condition, parse_projection, parse_update};
use crate::generated::{
    BatchGetItemInput, BatchWriteItemInput, CreateTableInput, DeleteItemInput, DeleteTableInput,
    DescribeContinuousBackupsInput, DescribeEndpointsInput, DescribeLimitsInput, DescribeTableInput,
    DescribeTimeToLiveInput, GetItemInput, ListTablesInput, ListTagsOfResourceInput, PutItemInput,
    QueryInput, ScanInput, TagResourceInput, TransactGetItemsInput, TransactWriteItemsInput,
    UntagResourceInput, UpdateItemInput, UpdateTableInput, UpdateTimeToLiveInput,
};
use crate::item::Item;
use crate::number::Number;
use crate::query::leading_key;
use crate::state::{table_arn, table_name};
use crate::table::Table;

/// A table that is asked for, whether it exists or not.
struct Target<'a> {
    arn: String,
    name: &'a str,
    table: Option<std::sync::Arc<Table>>,
}

impl<'a> Target<'a> {
    /// Of a name or an ARN; a table elsewhere is authorised as what its ARN says.
    fn new(service: &DynamoDb, context: &RequestContext, given: &'a str) -> Self {
        let name = table_name(context, given).unwrap_or(given);
        Self {
            arn: table_arn(context, given),
            name,
            table: service.state.find(&context.region, name),
        }
    }

    fn access(&self, action: &'static str) -> Access {
        self.access_to(action, self.arn.clone())
    }

    fn access_to(&self, action: &'static str, arn: String) -> Access {
        let mut access = Access::new(action, arn);
        if let Some(account) = account_of(&self.arn) {
            access = access.owned_by(account);
        }
        match &self.table {
            Some(table) => access.with_tags(table.definition.tags.iter().cloned()),
            None => access,
        }
    }

    fn key_names(&self) -> impl Iterator<Item = &str> {
        self.table
            .iter()
            .flat_map(|table| table.definition.key.attributes())
            .map(|attribute| attribute.name.as_str())
    }

    /// The partition value of an item or key, as `dynamodb:LeadingKeys` has it.
    fn leading(&self, item: &Item) -> Option<String> {
        let table = self.table.as_ref()?;
        leading_text(item.get(&table.definition.key.partition.name)?)
    }
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

fn leading_text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::N(text) => {
            Some(Number::parse(text).map_or_else(|_| text.clone(), |number| number.to_string()))
        }
        AttributeValue::B(bytes) => Some(STANDARD.encode(bytes)),
        _ => None,
    }
}

/// Condition keys of one access to items, gathered before it is made.
#[derive(Default)]
struct Keys {
    leading: BTreeSet<String>,
    attributes: BTreeSet<String>,
    select: Option<String>,
    return_values: Option<String>,
    return_consumed_capacity: Option<String>,
    enclosing: Option<&'static str>,
}

impl Keys {
    fn names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.attributes.extend(names.into_iter().map(str::to_owned));
    }

    fn condition(&mut self, condition: &Condition) {
        self.names(condition.paths().into_iter().map(crate::expression::Path::root));
    }

    fn select_of(&mut self, projected: bool) {
        self.select = Some(
            if projected {
                "SPECIFIC_ATTRIBUTES"
            } else {
                "ALL_ATTRIBUTES"
            }
            .to_owned(),
        );
    }

    fn returns(&mut self, given: Option<&str>) {
        self.return_values = Some(given.unwrap_or("NONE").to_owned());
    }

    fn put_on(self, mut access: Access) -> Access {
        if !self.leading.is_empty() {
            access = access.with_keys("dynamodb:LeadingKeys", self.leading.into_iter().collect());
        }
        if !self.attributes.is_empty() {
            access = access.with_keys("dynamodb:Attributes", self.attributes.into_iter().collect());
        }
        let single = [
            ("dynamodb:Select", self.select),
            ("dynamodb:ReturnValues", self.return_values),
            ("dynamodb:ReturnConsumedCapacity", self.return_consumed_capacity),
            ("dynamodb:EnclosingOperation", self.enclosing.map(str::to_owned)),
        ];
        for (key, value) in single {
            if let Some(value) = value {
                access = access.with_key(key, value);
            }
        }
        access
    }
}

type Names<'a> = Option<&'a BTreeMap<String, String>>;
type Values<'a> = Option<&'a BTreeMap<String, AttributeValue>>;

/// Attributes that expressions name. One that does not parse adds nothing: its request fails after the gate.
fn expression_names(
    keys: &mut Keys,
    expressions: &[(Kind, Option<&str>)],
    names: Names<'_>,
    values: Values<'_>,
) {
    if expressions.iter().all(|(_, text)| text.is_none()) {
        return;
    }
    let Ok(mut placeholders) = Placeholders::new(expressions, names, values) else {
        return;
    };
    for (kind, text) in expressions {
        let Some(text) = text else { continue };
        match kind {
            Kind::Projection => {
                if let Ok(paths) = parse_projection(text, &mut placeholders) {
                    keys.names(paths.iter().map(crate::expression::Path::root));
                }
            }
            Kind::Update => {
                if let Ok(update) = parse_update(text, &mut placeholders) {
                    keys.names(update.paths_used().into_iter().map(crate::expression::Path::root));
                }
            }
            Kind::Condition | Kind::Filter | Kind::KeyCondition => {
                if let Ok(condition) = parse_condition(*kind, text, &mut placeholders) {
                    keys.condition(&condition);
                }
            }
        }
    }
}

pub(crate) fn put_item(service: &DynamoDb, context: &RequestContext, input: &PutItemInput) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        ..Keys::default()
    };
    keys.leading.extend(target.leading(&input.item));
    keys.names(input.item.keys().map(String::as_str));
    keys.names(input.expected.iter().flatten().map(|(name, _)| name.as_str()));
    keys.returns(input.return_values.as_deref());
    expression_names(
        &mut keys,
        &[(Kind::Condition, input.condition_expression.as_deref())],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    );
    Ok(keys.put_on(target.access("dynamodb:PutItem")).into())
}

pub(crate) fn delete_item(
    service: &DynamoDb,
    context: &RequestContext,
    input: &DeleteItemInput,
) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        ..Keys::default()
    };
    keys.leading.extend(target.leading(&input.key));
    keys.names(input.key.keys().map(String::as_str));
    keys.names(input.expected.iter().flatten().map(|(name, _)| name.as_str()));
    keys.returns(input.return_values.as_deref());
    expression_names(
        &mut keys,
        &[(Kind::Condition, input.condition_expression.as_deref())],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    );
    Ok(keys.put_on(target.access("dynamodb:DeleteItem")).into())
}

pub(crate) fn update_item(
    service: &DynamoDb,
    context: &RequestContext,
    input: &UpdateItemInput,
) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        ..Keys::default()
    };
    keys.leading.extend(target.leading(&input.key));
    keys.names(input.key.keys().map(String::as_str));
    keys.names(
        input
            .attribute_updates
            .iter()
            .flatten()
            .map(|(name, _)| name.as_str()),
    );
    keys.names(input.expected.iter().flatten().map(|(name, _)| name.as_str()));
    keys.returns(input.return_values.as_deref());
    expression_names(
        &mut keys,
        &[
            (Kind::Update, input.update_expression.as_deref()),
            (Kind::Condition, input.condition_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    );
    Ok(keys.put_on(target.access("dynamodb:UpdateItem")).into())
}

pub(crate) fn get_item(service: &DynamoDb, context: &RequestContext, input: &GetItemInput) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        ..Keys::default()
    };
    keys.leading.extend(target.leading(&input.key));
    keys.names(input.key.keys().map(String::as_str));
    keys.names(input.attributes_to_get.iter().flatten().map(String::as_str));
    keys.select_of(input.projection_expression.is_some() || input.attributes_to_get.is_some());
    expression_names(
        &mut keys,
        &[(Kind::Projection, input.projection_expression.as_deref())],
        input.expression_attribute_names.as_ref(),
        None,
    );
    Ok(keys.put_on(target.access("dynamodb:GetItem")).into())
}

/// What `Select` is when it is not given.
fn default_select(given: Option<&str>, projected: bool, index: bool) -> String {
    match given {
        Some(select) => select,
        None if projected => "SPECIFIC_ATTRIBUTES",
        None if index => "ALL_PROJECTED_ATTRIBUTES",
        None => "ALL_ATTRIBUTES",
    }
    .to_owned()
}

fn index_arn(target: &Target<'_>, index: Option<&str>) -> String {
    match index {
        Some(index) => format!("{}/index/{index}", target.arn),
        None => target.arn.clone(),
    }
}

pub(crate) fn query(service: &DynamoDb, context: &RequestContext, input: &QueryInput) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let projected = input.projection_expression.is_some() || input.attributes_to_get.is_some();
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        select: Some(default_select(
            input.select.as_deref(),
            projected,
            input.index_name.is_some(),
        )),
        ..Keys::default()
    };
    if let Some(table) = &target.table {
        keys.leading
            .extend(leading_key(input, table).as_ref().and_then(leading_text));
    }
    keys.names(input.attributes_to_get.iter().flatten().map(String::as_str));
    keys.names(input.query_filter.iter().flatten().map(|(name, _)| name.as_str()));
    keys.names(
        input
            .key_conditions
            .iter()
            .flatten()
            .map(|(name, _)| name.as_str()),
    );
    expression_names(
        &mut keys,
        &[
            (Kind::Projection, input.projection_expression.as_deref()),
            (Kind::Filter, input.filter_expression.as_deref()),
            (Kind::KeyCondition, input.key_condition_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    );
    let arn = index_arn(&target, input.index_name.as_deref());
    Ok(keys.put_on(target.access_to("dynamodb:Query", arn)).into())
}

pub(crate) fn scan(service: &DynamoDb, context: &RequestContext, input: &ScanInput) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let projected = input.projection_expression.is_some() || input.attributes_to_get.is_some();
    let mut keys = Keys {
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        select: Some(default_select(
            input.select.as_deref(),
            projected,
            input.index_name.is_some(),
        )),
        ..Keys::default()
    };
    keys.names(input.attributes_to_get.iter().flatten().map(String::as_str));
    keys.names(input.scan_filter.iter().flatten().map(|(name, _)| name.as_str()));
    expression_names(
        &mut keys,
        &[
            (Kind::Projection, input.projection_expression.as_deref()),
            (Kind::Filter, input.filter_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    );
    let arn = index_arn(&target, input.index_name.as_deref());
    Ok(keys.put_on(target.access_to("dynamodb:Scan", arn)).into())
}

/// At least one access, or an error: nothing is not something to authorise.
fn some(accesses: Vec<Access>, parameter: &str) -> Result<Needs> {
    if accesses.is_empty() {
        return Err(validation(format!(
            "1 validation error detected: Value at '{parameter}' failed to satisfy constraint: Member must have length greater than or equal to 1"
        )));
    }
    Ok(accesses.into())
}

pub(crate) fn batch_get_item(
    service: &DynamoDb,
    context: &RequestContext,
    input: &BatchGetItemInput,
) -> Result<Needs> {
    let mut accesses = Vec::with_capacity(input.request_items.len());
    for (name, request) in &input.request_items {
        let target = Target::new(service, context, name);
        let mut keys = Keys {
            return_consumed_capacity: input.return_consumed_capacity.clone(),
            ..Keys::default()
        };
        keys.leading
            .extend(request.keys.iter().filter_map(|key| target.leading(key)));
        keys.names(request.keys.iter().flatten().map(|(name, _)| name.as_str()));
        keys.names(request.attributes_to_get.iter().flatten().map(String::as_str));
        keys.select_of(request.projection_expression.is_some() || request.attributes_to_get.is_some());
        expression_names(
            &mut keys,
            &[(Kind::Projection, request.projection_expression.as_deref())],
            request.expression_attribute_names.as_ref(),
            None,
        );
        accesses.push(keys.put_on(target.access("dynamodb:BatchGetItem")));
    }
    some(accesses, "requestItems")
}

pub(crate) fn batch_write_item(
    service: &DynamoDb,
    context: &RequestContext,
    input: &BatchWriteItemInput,
) -> Result<Needs> {
    let mut accesses = Vec::with_capacity(input.request_items.len());
    for (name, requests) in &input.request_items {
        let target = Target::new(service, context, name);
        let mut keys = Keys {
            return_consumed_capacity: input.return_consumed_capacity.clone(),
            ..Keys::default()
        };
        let named = requests.iter().flat_map(|request| {
            let put = request.put_request.as_ref().map(|put| &put.item);
            let delete = request.delete_request.as_ref().map(|delete| &delete.key);
            put.into_iter().chain(delete)
        });
        for item in named {
            keys.leading.extend(target.leading(item));
            keys.names(item.keys().map(String::as_str));
        }
        accesses.push(keys.put_on(target.access("dynamodb:BatchWriteItem")));
    }
    some(accesses, "requestItems")
}

/// Gathers the actions of a transaction: one access an action and table.
struct Gathered<'a> {
    service: &'a DynamoDb,
    context: &'a RequestContext,
    enclosing: &'static str,
    return_consumed_capacity: Option<String>,
    found: BTreeMap<(String, &'static str), (Target<'a>, Keys)>,
}

impl<'a> Gathered<'a> {
    fn keys(&mut self, action: &'static str, table: &'a str, named: &Item) -> &mut Keys {
        let target = Target::new(self.service, self.context, table);
        let (enclosing, capacity) = (self.enclosing, self.return_consumed_capacity.clone());
        let (target, keys) = self
            .found
            .entry((target.name.to_owned(), action))
            .or_insert_with(|| {
                let keys = Keys {
                    enclosing: Some(enclosing),
                    return_consumed_capacity: capacity,
                    ..Keys::default()
                };
                (target, keys)
            });
        keys.leading.extend(target.leading(named));
        keys.names(named.keys().map(String::as_str));
        keys
    }

    fn accesses(self) -> Vec<Access> {
        self.found
            .into_iter()
            .map(|((_, action), (target, mut keys))| {
                keys.names(target.key_names());
                keys.put_on(target.access(action))
            })
            .collect()
    }
}

pub(crate) fn transact_get_items(
    service: &DynamoDb,
    context: &RequestContext,
    input: &TransactGetItemsInput,
) -> Result<Needs> {
    let mut gathered = Gathered {
        service,
        context,
        enclosing: "TransactGetItems",
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        found: BTreeMap::new(),
    };
    for get in input.transact_items.iter().map(|action| &action.get) {
        let keys = gathered.keys("dynamodb:GetItem", &get.table_name, &get.key);
        // Of several reads the least restricted one counts.
        if keys.select.as_deref() != Some("ALL_ATTRIBUTES") {
            keys.select_of(get.projection_expression.is_some());
        }
        expression_names(
            keys,
            &[(Kind::Projection, get.projection_expression.as_deref())],
            get.expression_attribute_names.as_ref(),
            None,
        );
    }
    some(gathered.accesses(), "transactItems")
}

pub(crate) fn transact_write_items(
    service: &DynamoDb,
    context: &RequestContext,
    input: &TransactWriteItemsInput,
) -> Result<Needs> {
    let mut gathered = Gathered {
        service,
        context,
        enclosing: "TransactWriteItems",
        return_consumed_capacity: input.return_consumed_capacity.clone(),
        found: BTreeMap::new(),
    };
    for given in &input.transact_items {
        if let Some(check) = &given.condition_check {
            let keys = gathered.keys("dynamodb:ConditionCheckItem", &check.table_name, &check.key);
            expression_names(
                keys,
                &[(Kind::Condition, Some(&check.condition_expression))],
                check.expression_attribute_names.as_ref(),
                check.expression_attribute_values.as_ref(),
            );
        }
        if let Some(put) = &given.put {
            let keys = gathered.keys("dynamodb:PutItem", &put.table_name, &put.item);
            expression_names(
                keys,
                &[(Kind::Condition, put.condition_expression.as_deref())],
                put.expression_attribute_names.as_ref(),
                put.expression_attribute_values.as_ref(),
            );
        }
        if let Some(delete) = &given.delete {
            let keys = gathered.keys("dynamodb:DeleteItem", &delete.table_name, &delete.key);
            expression_names(
                keys,
                &[(Kind::Condition, delete.condition_expression.as_deref())],
                delete.expression_attribute_names.as_ref(),
                delete.expression_attribute_values.as_ref(),
            );
        }
        if let Some(update) = &given.update {
            let keys = gathered.keys("dynamodb:UpdateItem", &update.table_name, &update.key);
            expression_names(
                keys,
                &[
                    (Kind::Update, Some(&update.update_expression)),
                    (Kind::Condition, update.condition_expression.as_deref()),
                ],
                update.expression_attribute_names.as_ref(),
                update.expression_attribute_values.as_ref(),
            );
        }
    }
    some(gathered.accesses(), "transactItems")
}

pub(crate) fn create_table(
    service: &DynamoDb,
    context: &RequestContext,
    input: &CreateTableInput,
) -> Result<Needs> {
    let target = Target::new(service, context, &input.table_name);
    let tags = input.tags.as_deref().unwrap_or_default();
    let with_tags = |action: &'static str| {
        let mut access = Access::new(action, target.arn.clone());
        for tag in tags {
            access = access.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.clone());
        }
        if tags.is_empty() {
            return access;
        }
        access.with_keys("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect())
    };
    let mut accesses = vec![with_tags("dynamodb:CreateTable")];
    if !tags.is_empty() {
        accesses.push(with_tags("dynamodb:TagResource"));
    }
    Ok(accesses.into())
}

/// An operation that needs its own action on the table it names.
macro_rules! on_table {
    ($($function:ident, $input:ty, $action:literal;)*) => {
        $(pub(crate) fn $function(service: &DynamoDb, context: &RequestContext, input: &$input) -> Result<Needs> {
            Ok(Target::new(service, context, &input.table_name).access($action).into())
        })*
    };
}

on_table! {
    delete_table, DeleteTableInput, "dynamodb:DeleteTable";
    describe_table, DescribeTableInput, "dynamodb:DescribeTable";
    update_table, UpdateTableInput, "dynamodb:UpdateTable";
    describe_time_to_live, DescribeTimeToLiveInput, "dynamodb:DescribeTimeToLive";
    update_time_to_live, UpdateTimeToLiveInput, "dynamodb:UpdateTimeToLive";
    describe_continuous_backups, DescribeContinuousBackupsInput, "dynamodb:DescribeContinuousBackups";
}

/// An operation without resource-level permissions.
macro_rules! on_everything {
    ($($function:ident, $input:ty, $action:literal;)*) => {
        $(pub(crate) fn $function(_: &DynamoDb, _: &RequestContext, _: &$input) -> Result<Needs> {
            Ok(Access::new($action, "*").into())
        })*
    };
}

on_everything! {
    list_tables, ListTablesInput, "dynamodb:ListTables";
    describe_limits, DescribeLimitsInput, "dynamodb:DescribeLimits";
    describe_endpoints, DescribeEndpointsInput, "dynamodb:DescribeEndpoints";
}

pub(crate) fn tag_resource(
    service: &DynamoDb,
    context: &RequestContext,
    input: &TagResourceInput,
) -> Result<Needs> {
    let mut access = Target::new(service, context, &input.resource_arn).access("dynamodb:TagResource");
    for tag in &input.tags {
        access = access.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.clone());
    }
    Ok(access
        .with_keys(
            "aws:TagKeys",
            input.tags.iter().map(|tag| tag.key.clone()).collect(),
        )
        .into())
}

pub(crate) fn untag_resource(
    service: &DynamoDb,
    context: &RequestContext,
    input: &UntagResourceInput,
) -> Result<Needs> {
    let access = Target::new(service, context, &input.resource_arn).access("dynamodb:UntagResource");
    Ok(access.with_keys("aws:TagKeys", input.tag_keys.clone()).into())
}

pub(crate) fn list_tags_of_resource(
    service: &DynamoDb,
    context: &RequestContext,
    input: &ListTagsOfResourceInput,
) -> Result<Needs> {
    Ok(Target::new(service, context, &input.resource_arn)
        .access("dynamodb:ListTagsOfResource")
        .into())
}
