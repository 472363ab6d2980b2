//! JSON Schemas, to hold documents to.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// One schema.
pub(crate) struct Validator {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Validator {
    /// Of a schema that names its draft, and is as that draft says. Formats are looked at too.
    #[track_caller]
    pub(crate) fn new(schema: Value) -> Self {
        const HERE: &str = "https://connplan.test/schema.json";
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(HERE, schema).unwrap();
        let schema = match compiler.compile(HERE, &mut schemas) {
            Ok(schema) => schema,
            Err(e) => panic!("{e:#}"),
        };
        Self { schemas, schema }
    }

    /// What is wrong with a document.
    pub(crate) fn wrong(&self, document: &Value) -> Option<String> {
        let checked = self.schemas.validate(document, self.schema);
        checked.err().map(|error| format!("{error:#}"))
    }

    pub(crate) fn is_valid(&self, document: &Value) -> bool {
        self.wrong(document).is_none()
    }
}
