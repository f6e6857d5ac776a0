//! Kernels that are kept, by the template that each was generated from.

use crate::code::{self, JitError, Kernel};
use crate::template::Template;
use seg_data::Cancel;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// Keeps the code of every template that it has met, so that the next batch of the
/// same layout is bound without compiling; may be shared by threads. What it holds
/// is freed when it, and every kernel that it gave, is dropped.
#[derive(Default)]
pub struct Jit {
    kernels: Mutex<HashMap<Template, Kernel>>,
}

impl fmt::Debug for Jit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jit({} kernels)", self.n_kernels())
    }
}

impl Jit {
    /// No code yet.
    pub fn new() -> Jit {
        Jit::default()
    }

    /// How many kernels are compiled.
    pub fn n_kernels(&self) -> usize {
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The kernel of each template; those that are new are compiled, by so many
    /// threads.
    ///
    /// # Errors
    /// Code that cannot be made or run on this machine, or that somebody asked to
    /// stop.
    pub fn kernels(
        &self,
        templates: &[&Template],
        n_threads: NonZero<usize>,
        cancel: &Cancel,
    ) -> Result<Vec<Kernel>, JitError> {
        let find = |kernels: &HashMap<Template, Kernel>| -> Vec<Option<Kernel>> {
            templates.iter().map(|template| kernels.get(template).cloned()).collect()
        };
        let mut found = find(&self.kernels.lock().unwrap_or_else(PoisonError::into_inner));
        let mut new: Vec<&Template> = Vec::new();
        for (template, kernel) in templates.iter().zip(&found) {
            if kernel.is_none() && !new.contains(template) {
                new.push(template);
            }
        }
        if !new.is_empty() {
            // Compiled without the lock: another thread may do the same, which
            // wastes time and harms nothing.
            let compiled = code::compile_all(&new, n_threads, cancel)?;
            let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
            for (template, kernel) in new.into_iter().zip(compiled) {
                kernels.insert(template.clone(), kernel);
            }
            found = find(&kernels);
        }
        let found: Option<Vec<Kernel>> = found.into_iter().collect();
        found.ok_or_else(|| JitError::Internal("a kernel was not compiled".to_owned()))
    }
}
