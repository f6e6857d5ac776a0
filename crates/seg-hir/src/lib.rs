//! What segments mean: names, types, windows, HIR and the reference evaluator.
