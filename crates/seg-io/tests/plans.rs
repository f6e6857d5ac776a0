//! Tracking plans in, schemas out, and back.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use seg_data::Schema;
use seg_data::schema::parse;
use seg_io::json_schema::{ExportForm, GuessWords, Imported, PlanFile, export, import, plan_files};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file(name: &str, text: impl Into<String>) -> Vec<PlanFile> {
    vec![PlanFile { name: name.to_owned(), text: text.into() }]
}

/// The plan that a text is, or its problems.
fn read(text: impl Into<String>) -> Result<Imported, Vec<String>> {
    import(&file("p.json", text), GuessWords::Yes)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// A schema without where it says things.
fn schema(text: &str) -> Schema {
    let (mut schema, problems) = parse(text);
    assert_eq!(problems, [], "{text}");
    schema.attributes.iter_mut().for_each(|field| field.declared_at = 0..0);
    for event in &mut schema.events {
        event.declared_at = 0..0;
        event.properties.iter_mut().for_each(|field| field.declared_at = 0..0);
    }
    schema.groups.iter_mut().for_each(|group| group.declared_at = 0..0);
    schema
}

/// Writes a schema in both forms, reads these, and finds the same.
fn comes_back(schema_text: &str, name: &str) {
    let before = schema(schema_text);
    for form in [ExportForm::JsonSchema, ExportForm::TrackingPlan] {
        let plan = export(&before, name, form);
        let imported = read(plan.clone()).unwrap_or_else(|problems| panic!("{name}: {problems:?}\n{plan}"));
        assert_eq!(schema(&imported.schema), before, "{name}, {form:?}\n{plan}");
        assert_eq!(imported.remarks, [], "{name}: what Seg wrote it understands");
        assert_eq!(export(&schema(&imported.schema), name, form), plan, "{name}");
        is_json_schema(&serde_json::from_str(&plan).expect("JSON"), form, &before);
    }
}

/// Whether a plan is what it says to be, looked at without any code of Seg.
fn is_json_schema(plan: &Value, form: ExportForm, schema: &Schema) {
    let n_events = match form {
        ExportForm::JsonSchema => {
            assert_eq!(plan["$schema"], "https://json-schema.org/draft/2020-12/schema");
            is_schema(plan);
            plan["properties"]["events"]["properties"].as_object().expect("events").len()
        }
        ExportForm::TrackingPlan => {
            let events = plan["rules"]["events"].as_array().expect("events");
            events.iter().for_each(|event| is_schema(&event["rules"]));
            plan["rules"].get("identify").into_iter().for_each(is_schema);
            events.len()
        }
    };
    assert_eq!(n_events, schema.events.len());
}

/// Whether keywords have values that the meta-schema lets them have.
fn is_schema(schema: &Value) {
    for (keyword, value) in schema.as_object().expect("an object") {
        match keyword.as_str() {
            "$schema" | "title" | "description" => assert!(value.is_string(), "{schema}"),
            "type" => {
                let types = ["object", "array", "string", "number", "integer", "boolean"];
                assert!(types.contains(&value.as_str().expect("a text")), "{schema}");
            }
            "format" => assert!(value == "date-time" || value == "date", "{schema}"),
            "properties" => value.as_object().expect("an object").values().for_each(is_schema),
            "items" => is_schema(value),
            "enum" => assert!(value.as_array().is_some_and(|values| !values.is_empty()), "{schema}"),
            "required" => {
                let names = value.as_array().expect("a list");
                assert!(names.iter().all(|name| schema["properties"].get(name.as_str().expect("a name")).is_some()));
            }
            own => assert!(own.starts_with("x-seg-"), "{own} in {schema}"),
        }
    }
}

#[test]
fn every_schema_comes_back() {
    let mut n = 0;
    let examples = ["cart-recovery", "online-retail", "webshop", "webshop-calls"];
    let mut paths: Vec<PathBuf> =
        examples.iter().map(|name| root().join("examples").join(name).join("schema.toml")).collect();
    let schemas = std::fs::read_dir(root().join("tests/schemas")).expect("a folder");
    paths.extend(schemas.map(|entry| entry.expect("a file").path()));
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a text");
        // Some are there for the problems that they have.
        if parse(&text).1.is_empty() {
            comes_back(&text, &path.display().to_string());
            n += 1;
        }
    }
    assert!(n >= 8, "{n} schemas");
}

#[test]
fn all_that_a_schema_says_comes_back() {
    comes_back(
        r#"
        currency = "EUR"
        event_id = "order id"
        retention = "2 years"
        arrives_within = "36 hours"
        first_seen = "signed_up"
        [attributes]
        "address.city" = { type = "text", description = "where \"they\" live", required = true }
        "address.zip" = "text"
        signed_up = { type = "timestamp", required = true, also = ["joined", "signed up on"] }
        "address" = "text"
        "a..b" = "text"
        ".c" = "text"
        "d." = "text"
        "e.f" = "text"
        g = "text"
        "e.h" = { type = "text", required = true }
        "traits.x" = "integer"
        plan = { type = "text", allowed = ["free", "pro"], history = true }
        birthday = { type = "date", recurring = true }
        hired = { type = "date", recurring = false }
        tags = { type = "list of text", allowed = ["a", "b"], history = true }
        scores = "list of number"
        counts = "list of integer"
        times = "list of timestamp"
        sms_consent = "boolean"
        lat = "number"
        lon = "integer"
        "1.2.3.4.5.6.7.8.9.10.11.12" = "money"
        [events."Order Completed"]
        description = "paid"
        verbs = ["order", { verb = "bid", past = "bid", participle = "bidden" }]
        nouns = ["offer", { noun = "criterion", plural = "criteria" }]
        also = ["checked out"]
        role = "purchase"
        properties = { "order id" = "text", amount = { type = "money", required = true }, lines = { type = "list of records", fields = { sku = "text", n = "integer", tags = "list of text", "a.b" = "money" } }, parts = "list of records", "context.page" = "text", "context.x.y" = "date" }
        [events.seen]
        arrives_within = "5 minutes"
        properties = { "properties.x" = "text", "context.page" = "text", last = "text" }
        [events.bare]
        [events.only_context]
        properties = { "context.page" = { type = "text", required = true } }
        [groups.Any]
        also = ["whatever"]
        description = "all of them"
        events = ["*"]
        [channels.sms]
        consent = "sms_consent"
        [channels.post]
        [places]
        home = { latitude = "lat", longitude = "lon" }
        "#,
        "whole",
    );
    comes_back("[attributes]\nx = \"text\"\n", "people alone");
    comes_back("[events.x]\n[events.\"y z\"]\nalso = [\"why\"]\n", "events alone");
}

/// The plans of `tests/data/plans`, with what becomes of them and what is told.
#[test]
fn plans_of_all_forms_are_read() {
    for name in ["platform.json", "rules_list.json", "bundle.json", "list.json", "folder"] {
        let path = root().join("tests/data/plans").join(name);
        let mut files = plan_files(&path).expect("files");
        for file in &mut files {
            let path = Path::new(&file.name);
            file.name = path.file_name().expect("a name").to_string_lossy().into_owned();
        }
        let imported = import(&files, GuessWords::Yes).expect("a plan");
        let remarks: Vec<String> =
            imported.remarks.iter().map(|remark| format!("{}: {remark}\n", remark.kind.slug())).collect();
        insta::assert_snapshot!(format!("plan_{name}"), format!("{}\n---\n{}", imported.schema, remarks.concat()));
        comes_back(&imported.schema, name);
    }
}

#[test]
fn types_are_read_as_near_as_they_can_be() {
    let of = |schema: &str| {
        let imported = read(format!(r#"{{"title": "e", "properties": {{"price": {schema}}}}}"#)).expect("a plan");
        let line = imported.schema.lines().find(|line| line.starts_with("price") || line.starts_with("\"price"));
        let told: Vec<&str> = imported.remarks.iter().map(|remark| remark.kind.slug()).collect();
        format!("{} {}", line.unwrap_or("-"), told.join(" ")).trim().to_owned()
    };
    for (schema, expected) in [
        (r#"{"type": "string"}"#, r#"price = "text""#),
        (r#"{"type": ["null", "boolean"]}"#, r#"price = "boolean""#),
        (r#"{"type": "integer"}"#, r#"price = "integer""#),
        (r#"{"type": "number", "multipleOf": 1.0}"#, r#"price = "integer""#),
        (r#"{"type": "number", "multipleOf": 0.010}"#, r#"price = "money""#),
        (r#"{"multipleOf": 0.01}"#, r#"price = "money""#),
        (r#"{"type": "number", "multipleOf": 0.25}"#, r#"price = "number" left-out"#),
        (r#"{"type": "number"}"#, r#"price = "number" advice"#),
        (r#"{"type": ["integer", "number"]}"#, r#"price = "number" advice"#),
        (r#"{"type": "integer", "multipleOf": 5}"#, r#"price = "integer" left-out"#),
        (r#"{"format": "date"}"#, r#"price = "date""#),
        (r#"{"type": "string", "format": "date-time"}"#, r#"price = "timestamp""#),
        (r#"{"const": "a"}"#, r#"price = { type = "text", allowed = ["a"] }"#),
        (r#"{"enum": ["a", null, "b", "a"]}"#, r#"price = { type = "text", allowed = ["a", "b"] }"#),
        (r#"{"enum": [1, 2]}"#, r#"price = "integer" left-out"#),
        (r#"{"enum": [true, false]}"#, r#"price = "boolean""#),
        (r#"{"type": "string", "enum": [1]}"#, r#"price = "text" read-as left-out"#),
        (r#"{"type": "array", "items": {"type": "integer"}}"#, r#"price = "list of integer""#),
        (r#"{"type": "array", "items": {"type": "string", "format": "date-time"}}"#, r#"price = "list of timestamp""#),
        (r#"{"type": "array", "items": {"type": "boolean"}}"#, r#"price = "list of text" read-as"#),
        (r#"{"type": "array"}"#, r#"price = "list of text" read-as"#),
        (r#"{"items": {"type": "array", "items": {}}}"#, "- left-out"),
        (r#"{"items": {"properties": {"a": {"type": "object"}}}}"#, r#"price = "list of records" left-out"#),
        (r#"{"type": "object"}"#, "- left-out"),
        (r#"{"type": ["object", "string"], "properties": {}}"#, "- left-out"),
        (r#"{}"#, r#"price = "text" read-as"#),
        ("true", r#"price = "text" read-as"#),
        ("false", r#"price = "text" left-out read-as"#),
        (r#"{"anyOf": [{"type": "null"}, {"type": "integer"}]}"#, r#"price = "integer""#),
        (r#"{"oneOf": [{"const": "a"}, {"const": "b"}]}"#, r#"price = { type = "text", allowed = ["a", "b"] }"#),
        (r#"{"anyOf": [{"type": "integer"}, {"type": "string"}]}"#, r#"price = "text" read-as"#),
        (
            r#"{"anyOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}}}]}"#,
            r#""price.a" = "integer" read-as"#,
        ),
        (r#"{"allOf": [{"type": ["string", "integer"]}, {"type": "number"}]}"#, r#"price = "integer""#),
        (r#"{"type": "string", "pattern": "^a", "not": {"const": "b"}}"#, r#"price = "text" left-out left-out"#),
        (
            r#"{"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": {"type": "string"}}"#,
            r#""price.x" = "integer" left-out"#,
        ),
    ] {
        assert_eq!(of(schema), expected, "{schema}");
    }
}

#[test]
fn what_stands_beside_a_reference_counts_from_2019_on() {
    let plan = |draft: &str| {
        let text = format!(
            r##"{{"$schema": "{draft}", "title": "e", "properties": {{"x": {{"$ref": "#/definitions/t", "enum": ["a"]}}}}, "definitions": {{"t": {{"type": "string"}}}}}}"##
        );
        let imported = read(text).expect("a plan");
        (imported.schema.contains("allowed"), imported.remarks.len())
    };
    assert_eq!(plan("http://json-schema.org/draft-07/schema#"), (false, 1));
    assert_eq!(plan("http://json-schema.org/draft-04/schema#"), (false, 1));
    assert_eq!(plan("https://json-schema.org/draft/2019-09/schema"), (true, 0));
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let wrong = |text: &str| read(text).err().unwrap_or_else(|| panic!("{text} was read"));
    for (text, expected) in [
        ("", "p.json:1: this is not JSON: EOF while parsing a value"),
        ("[1,\n", "p.json:2: this is not JSON: EOF while parsing a value"),
        ("7", "p.json:1: a tracking plan is an object or a list of schemas, and this is a number"),
        (
            "{}",
            "p.json:1: no event and no attribute is described here; `seg schema import --help` names the forms of plans",
        ),
        ("[{}]", "p.json:1 at /0: this event has no name; give its schema a `title`"),
        ("[7]", "p.json:1 at /0: a schema has to be an object, and this is a number"),
        (
            "{\"title\": \"e\",\n\"properties\": 7}",
            "p.json:2 at /properties: `properties` has to be an object, and is a number",
        ),
        (
            r#"{"title": "e", "properties": {"x": {"type": "strng"}}}"#,
            "p.json:1 at /properties/x/type: `strng` is no type of JSON Schema; the types are boolean, integer, number, string, array, object and null",
        ),
        (
            r#"{"title": "e", "properties": {"x": {"type": 7}}}"#,
            "p.json:1 at /properties/x/type: `type` has to be a text, and is a number",
        ),
        (
            r#"{"title": "e", "required": "x", "properties": {}}"#,
            "p.json:1 at /required: `required` has to be a list of names, and is a text",
        ),
        (
            r#"{"title": "e", "properties": {"x": {"enum": []}}}"#,
            "p.json:1 at /properties/x/enum: `enum` lists no value",
        ),
        (
            r##"{"title": "e", "properties": {"x": {"$ref": "#/nowhere"}}}"##,
            "p.json:1 at /properties/x/$ref: there is no `#/nowhere` in this document",
        ),
        (
            r##"{"title": "e", "properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
            "p.json:1 at /$defs/b/$ref: `#/$defs/a` refers to itself",
        ),
        (
            "{\"title\": \"e\", \"properties\": {\"x\": {},\n \"x\": {}}}",
            "p.json:2 at /properties/x: `x` stands here for the second time in one object",
        ),
        (
            r#"[{"title": "e"}, {"title": "e"}]"#,
            "p.json:1 at /1: the event `e` is described a second time, first in p.json:1",
        ),
        (
            r#"[{"title": "e\u0007"}]"#,
            "p.json:1 at /0: `e\\u{7}` cannot be the name of an event: a name has at least one character, none of them invisible, and no space at its ends",
        ),
        (
            r#"{"title": "e", "properties": {" x": {"type": "string"}}}"#,
            "p.json:1 at /properties/ x: ` x` cannot be a name: a name has at least one character, none of them invisible, and no space at its ends",
        ),
        (
            r#"{"rules": {"events": [{"name": 7}]}}"#,
            "p.json:1 at /rules/events/0/name: `name` has to be a text, and is a number",
        ),
        (r#"{"rules": {"events": {}}}"#, "p.json:1 at /rules/events: `events` has to be a list, and is an object"),
        (
            r#"{"rules": "all"}"#,
            "p.json:1 at /rules: `rules` has to be an object with `events`, or a list, and is a text",
        ),
        (
            r#"{"title": "e", "x-seg-role": "boss"}"#,
            "p.json:1 at /x-seg-role: `boss` is no role; the roles are purchase, checkout, cart, view and message",
        ),
        (
            r#"{"title": "e", "x-seg-currency": "euro"}"#,
            "p.json:1: `euro` is not a currency: write the three capital letters of the currency, such as \"EUR\"",
        ),
        (
            r#"{"title": "e", "properties": {"x": {"type": "string", "x-seg-history": true}}}"#,
            "p.json:1 at /properties/x: `x` is a property, and only attributes keep a history: leave `history` out; every event keeps its own values",
        ),
        (
            r#"{"title": "e", "properties": {"x": {"x-seg-type": "colour"}}}"#,
            "p.json:1 at /properties/x: `colour` is not a type of Seg",
        ),
    ] {
        assert_eq!(wrong(text)[0], expected, "{text}");
    }
}

#[test]
fn names_of_two_things_and_of_two_spellings_are_told() {
    let text = r#"{"events": {"plan": {}, "Sign Up": {}, "sign_up": {}}, "traits": {"properties": {"plan": {"type": "string"}, "a": {"type": "string"}, "A": {"type": "string"}}}}"#;
    let imported = read(text).expect("a plan");
    assert_eq!((imported.n_attributes, imported.n_events), (2, 3));
    let told: Vec<String> = imported.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "p.json:1 at /events/sign_up: `sign_up` differs from `Sign Up` by case, blanks, `_` or `-` alone; segments have to write each exactly",
            "p.json:1 at /traits/properties/A: `A` differs from `a` by case, blanks, `_` or `-` alone; segments have to write each exactly",
            "p.json:1 at /traits/properties/plan: the attribute `plan` was left out, for an event has its name",
        ]
    );
}

/// Each of these would take for ever, or the stack, were it followed.
#[test]
fn hostile_plans_end_soon() {
    let begun = Instant::now();
    let first = |text: String| match read(text) {
        Ok(imported) => format!("{} remarks", imported.remarks.len()),
        Err(problems) => problems
            .first()
            .cloned()
            .unwrap_or_default()
            .chars()
            .rev()
            .take(80)
            .collect::<String>()
            .chars()
            .rev()
            .collect(),
    };
    // A reference in each of a hundred places, twice: 2^100 schemas.
    let doubled: Vec<String> = (0..60)
        .map(|n| {
            format!(r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{}"}}, {{"$ref": "#/$defs/d{}"}}]}}"##, n + 1, n + 1)
        })
        .collect();
    let bomb = format!(
        r##"{{"title": "e", "properties": {{"x": {{"$ref": "#/$defs/d0"}}}}, "$defs": {{{}, "d60": {{}}}}}}"##,
        doubled.join(",")
    );
    assert!(first(bomb).contains("with all references followed"));
    // A long way of references.
    let way: Vec<String> = (0..50_000).map(|n| format!(r##""d{n}": {{"$ref": "#/$defs/d{}"}}"##, n + 1)).collect();
    let way = format!(
        r##"{{"title": "e", "properties": {{"x": {{"$ref": "#/$defs/d0"}}}}, "$defs": {{{}, "d50000": {{}}}}}}"##,
        way.join(",")
    );
    assert!(first(way).ends_with("nested in one another are more than 64 schemas"));
    let deep = format!(
        r#"{{"title": "e", "properties": {{"x": {}{}}}}}"#,
        r#"{"not": "#.repeat(90_000),
        "{}".to_owned() + &"}".repeat(90_000)
    );
    assert!(first(deep).ends_with("values stand in one another more than 100 deep"));
    let many: Vec<String> = (0..80_000).map(|n| format!(r#""p{n}": {{"type": "string"}}"#)).collect();
    assert!(
        first(format!(r#"{{"title": "e", "properties": {{{}}}}}"#, many.join(",")))
            .ends_with("an object has more than 10000 properties")
    );
    let values: Vec<String> = (0..200_000).map(|n| format!(r#""v{n}""#)).collect();
    let values = values.join(",");
    let listed = format!(
        r#"{{"title": "e", "properties": {{"x": {{"allOf": [{{"enum": [{values}]}}, {{"enum": [{values}]}}]}}}}}}"#
    );
    assert_eq!(first(listed), "0 remarks");
    let events: Vec<String> = (0..20_000).map(|n| format!(r#"{{"title": "Event {n}"}}"#)).collect();
    assert_eq!(first(format!("[{}]", events.join(","))), "0 remarks");
    let unknown: Vec<String> = (0..80_000).map(|n| format!(r#""k{n}": 1"#)).collect();
    assert_eq!(first(format!(r#"{{"title": "e", {}}}"#, unknown.join(","))), "80000 remarks");
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}
