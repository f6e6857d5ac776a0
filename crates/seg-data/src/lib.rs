//! What segments are about: types, values, schema, time, profile batches and masks.
