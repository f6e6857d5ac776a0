//! Evaluates segments over batches that arrive from elsewhere, through Arrow's C
//! data interface: two C structs that every Arrow library can make and read, in
//! whatever version and language.

mod warehouse;

use seg::arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use seg::arrow_array::{RecordBatch, StructArray};
use seg::{Batch, Project, Settings, Timestamp};
use std::error::Error;
use std::sync::Arc;

const SCHEMA: &str = r#"
[attributes]
country = { type = "text", required = true }

[events."Order Completed"]
also = ["ordered"]
"#;

const SEGMENTS: &str = r#"
segment "Lapsed"
    include people who ordered more than 90 days ago
    exclude people who ordered in the past 90 days

segment "Lapsed in Germany"
    include people who are in segment "Lapsed" and whose country is "DE"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let project = Project::from_text(SCHEMA, [("lapsed.seg", SEGMENTS)], Settings::default());
    let program = seg::compile(&project)?;
    // What the other side must send, and how much of it.
    print!("{}", program.describe_needs());

    let prepared = program.prepare();
    let now = Timestamp::read("2026-06-01T12:00:00Z", None)?;
    for (number, (array, schema)) in warehouse::batches(now.0 / 1_000)?.into_iter().enumerate() {
        let records = import(array, schema)?;
        let batch = Batch::new(Arc::clone(program.schema()), records)?;
        // Whatever the other side promised, the columns that the program reads
        // are checked here.
        let evaluation = prepared.evaluate(&batch, now)?;
        println!("batch {number}: {} people", batch.len());
        for conversion in batch.conversions() {
            println!("  {conversion}");
        }
        for (name, mask) in program.segment_names().zip(evaluation.masks()) {
            let members: Vec<&str> = mask.rows().map(|row| batch.id(row)).collect();
            println!("  {name}: {}", members.join(", "));
        }
    }
    Ok(())
}

/// Takes over a batch from another library. Its buffers are not copied, and
/// are released when the batch is dropped.
fn import(
    array: arrow_array_59::ffi::FFI_ArrowArray,
    schema: arrow_array_59::ffi::FFI_ArrowSchema,
) -> Result<RecordBatch, Box<dyn Error>> {
    // In a program of two libraries these would be pointers handed over by the
    // other one; the structs are C's, the same for both.
    let (mut array, mut schema) = (array, schema);
    let (array_ptr, schema_ptr) = (&raw mut array, &raw mut schema);
    // SAFETY: the pointer is valid, and `from_raw` moves the struct out and
    // leaves an empty one, whose drop releases nothing.
    let array = unsafe { FFI_ArrowArray::from_raw(array_ptr.cast()) };
    // SAFETY: likewise.
    let schema = unsafe { FFI_ArrowSchema::from_raw(schema_ptr.cast()) };
    // SAFETY: the structs come from a library that keeps the C data interface.
    let data = unsafe { from_ffi(array, &schema)? };
    Ok(RecordBatch::from(StructArray::from(data)))
}
