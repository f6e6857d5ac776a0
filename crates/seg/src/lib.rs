//! The one door to Seg: load a project, compile it, run it.
