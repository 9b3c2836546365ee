//! A real table, on the server that `VAULTWATCH_TEST_DYNAMODB` names.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, Projection};
use vaultwatch::state::{DynamoDbStore, Patience, Store};
use yaml_serde::Value;

use super::Place;
use crate::table;

/// A table as `template.yaml` describes it, with nothing in it.
pub(crate) struct Table {
    endpoint: String,
    name: String,
}

impl Table {
    /// Makes one.
    pub(crate) async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "the server is the test runner's to choose")]
        let endpoint = env::var("VAULTWATCH_TEST_DYNAMODB").expect("tests/run.sh says where a DynamoDB is");
        let name = format!("windows-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let described = described();
        let index = &described["GlobalSecondaryIndexes"][0];
        let projection = Projection::builder().projection_type(text(&index["Projection"]["ProjectionType"]).into());
        let index = GlobalSecondaryIndex::builder()
            .index_name(text(&index["IndexName"]))
            .set_key_schema(Some(key_schema(&index["KeySchema"])))
            .projection(projection.build());
        let request = Client::new(&table::sdk(&endpoint)).create_table().table_name(&name);
        let request = request
            .billing_mode(BillingMode::from(text(&described["BillingMode"])))
            .set_attribute_definitions(Some(attributes(&described["AttributeDefinitions"])))
            .set_key_schema(Some(key_schema(&described["KeySchema"])))
            .global_secondary_indexes(index.build().unwrap());
        request.send().await.unwrap();
        Self { endpoint, name }
    }
}

impl Place for Table {
    /// The connections of one client end with the runtime that it was first used in.
    fn store(&self) -> Box<dyn Store> {
        Box::new(DynamoDbStore::new(&table::sdk(&self.endpoint), &self.name, Patience::USUAL))
    }
}

fn described() -> Value {
    let template = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml")).unwrap();
    let template: Value = yaml_serde::from_str(&template).unwrap();
    template["Resources"]["WindowTable"]["Properties"].clone()
}

fn attributes(described: &Value) -> Vec<AttributeDefinition> {
    let attribute = |entry: &Value| {
        let attribute = AttributeDefinition::builder().attribute_name(text(&entry["AttributeName"]));
        attribute.attribute_type(text(&entry["AttributeType"]).into()).build().unwrap()
    };
    described.as_sequence().unwrap().iter().map(attribute).collect()
}

fn key_schema(described: &Value) -> Vec<KeySchemaElement> {
    let element = |entry: &Value| {
        let element = KeySchemaElement::builder().attribute_name(text(&entry["AttributeName"]));
        element.key_type(text(&entry["KeyType"]).into()).build().unwrap()
    };
    described.as_sequence().unwrap().iter().map(element).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
