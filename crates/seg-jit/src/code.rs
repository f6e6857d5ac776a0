//! Machine code: compiled, kept, called and freed.

use crate::emit;
use crate::shape::Cond;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::verifier::verify_function;
use cranelift_codegen::{CodegenError, Context, ir};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use seg_data::Cancel;
use std::fmt;
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

/// Why there is no machine code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JitError {
    /// This machine or its settings do not let code be made and run.
    Unavailable(String),
    /// Somebody asked to stop; see [`seg_data::Cancel`].
    Cancelled,
    /// A fault of Seg: the code generator refused what it was given.
    Internal(String),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::Unavailable(why) => write!(f, "native code cannot be run here: {why}"),
            JitError::Cancelled => write!(f, "it was cancelled"),
            JitError::Internal(why) => write!(f, "native code could not be generated, which is a fault of Seg: {why}"),
        }
    }
}

impl std::error::Error for JitError {}

/// The machine whose code is generated: the one this runs on.
///
/// # Errors
/// A machine that Cranelift does not know.
pub(crate) fn host() -> Result<OwnedTargetIsa, JitError> {
    // A machine stays the same while a process runs, and asking it takes a good
    // part of the time that one sentence takes to compile.
    static HOST: OnceLock<Result<OwnedTargetIsa, JitError>> = OnceLock::new();
    let ask = || {
        let builder = cranelift_native::builder().map_err(|why| JitError::Unavailable(why.to_owned()))?;
        builder.finish(flags()?).map_err(|e| JitError::Unavailable(e.to_string()))
    };
    HOST.get_or_init(ask).clone()
}

/// How code is generated for every machine.
fn flags() -> Result<settings::Flags, JitError> {
    let internal = |e: settings::SetError| JitError::Internal(e.to_string());
    let mut flags = settings::builder();
    // Kernels are written as they shall be: optimising them costs a fifth more
    // and makes the suite no faster as a whole (docs/benchmarks).
    flags.set("opt_level", "none").map_err(internal)?;
    // The verifier is worth its time where faults are looked for.
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).map_err(internal)?;
    flags.set("is_pic", "false").map_err(internal)?;
    flags.set("unwind_info", "false").map_err(internal)?;
    Ok(settings::Flags::new(flags))
}

/// The code of some kernels, in memory that is freed when the last handle to
/// it is dropped.
struct Code {
    module: ManuallyDrop<JITModule>,
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: `module` is taken once, here, and never used again.
        let module = unsafe { ManuallyDrop::take(&mut self.module) };
        // SAFETY: pointers into the code are only inside `Kernel`s, each of
        // which holds an `Arc` of this; so none is left, and no call is running.
        unsafe { module.free_memory() };
    }
}

// SAFETY: after `compile` has made it, a `Code` is never changed or read except
// to be dropped, and the machine code in it is immutable.
unsafe impl Sync for Code {}

/// The parameters of a kernel; see [`emit::signature`].
type Entry = unsafe extern "C" fn(*const u64, u64, u64, *const u64, *mut u64, *mut u64, *mut i64);

/// A compiled condition: code that may be run by many threads at once.
#[derive(Clone)]
pub(crate) struct Kernel {
    entry: Entry,
    /// Keeps `entry` alive.
    _code: Arc<Code>,
}

impl Kernel {
    /// Decides the condition for the profiles of `care`, beginning with the
    /// profile `first`, and writes the answers to `out`.
    ///
    /// # Safety
    /// `params` was filled for the shape of this kernel and for a batch that is
    /// alive; every bit of `care` stands for a profile of it; `scratch` is as
    /// long as the parameters say; where the kernel gathers values, `values` has
    /// a place for every profile of the words.
    pub(crate) unsafe fn run(
        &self,
        params: &[u64],
        first: usize,
        care: &[u64],
        out: &mut [u64],
        scratch: &mut [u64],
        values: &mut [i64],
    ) {
        debug_assert_eq!(care.len(), out.len());
        let n_words = care.len().min(out.len()) as u64;
        // SAFETY: the caller's promise covers what the code reads; `care` and
        // `out` hold `n_words` words, and `out` and `scratch` are borrowed
        // mutably, so nobody else has them.
        unsafe {
            (self.entry)(
                params.as_ptr(),
                first as u64,
                n_words,
                care.as_ptr(),
                out.as_mut_ptr(),
                scratch.as_mut_ptr(),
                values.as_mut_ptr(),
            );
        }
    }
}

/// Fewer conditions are sooner compiled than handed to another thread.
const CONDITIONS_PER_THREAD: usize = 4;

/// Compiles conditions, each thread its share of them.
///
/// # Errors
/// Those of [`compile`].
pub(crate) fn compile_all(
    conditions: &[&Cond],
    n_threads: NonZero<usize>,
    cancel: &Cancel,
) -> Result<Vec<Kernel>, JitError> {
    let n_each = conditions.len().div_ceil(n_threads.get()).max(CONDITIONS_PER_THREAD);
    std::thread::scope(|scope| {
        let mut shares = conditions.chunks(n_each);
        let own = shares.next().unwrap_or(&[]);
        let others: Vec<_> = shares.map(|share| scope.spawn(move || compile(share, cancel))).collect();
        let mut kernels = compile(own, cancel)?;
        for other in others {
            kernels.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(kernels)
    })
}

/// Compiles conditions, all in one piece of code memory.
///
/// # Errors
/// Memory that may not be made executable, or a fault of Seg.
pub(crate) fn compile(conditions: &[&Cond], cancel: &Cancel) -> Result<Vec<Kernel>, JitError> {
    let isa = host()?;
    let module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    // From here on, dropping frees the memory, also when compiling fails.
    let mut code = Code { module: ManuallyDrop::new(module) };
    let mut functions: Vec<FuncId> = Vec::with_capacity(conditions.len());
    let mut context = code.module.make_context();
    let mut builder = FunctionBuilderContext::new();
    for cond in conditions {
        if cancel.is_cancelled() {
            return Err(JitError::Cancelled);
        }
        let isa = code.module.isa();
        context.func.signature = emit::signature(isa);
        emit::kernel(&mut context.func, &mut builder, isa, cond);
        let signature = context.func.signature.clone();
        let id = code.module.declare_anonymous_function(&signature).map_err(refused)?;
        code.module.define_function(id, &mut context).map_err(refused)?;
        has_no_relocations(&context)?;
        code.module.clear_context(&mut context);
        functions.push(id);
    }
    code.module.finalize_definitions().map_err(refused)?;
    let addresses: Vec<*const u8> = functions.iter().map(|id| code.module.get_finalized_function(*id)).collect();
    let code = Arc::new(code);
    let kernel = |address: *const u8| {
        // SAFETY: `address` is a finalized function that was built with the
        // signature of `Entry` and the C calling convention of this machine.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Kernel { entry, _code: Arc::clone(&code) }
    };
    Ok(addresses.into_iter().map(kernel).collect())
}

/// Code that refers to nothing outside itself cannot be too far from it.
fn has_no_relocations(context: &Context) -> Result<(), JitError> {
    match context.compiled_code().map(|code| code.buffer.relocs().len()) {
        Some(0) => Ok(()),
        _ => Err(JitError::Internal("a kernel refers to something outside itself".to_owned())),
    }
}

fn refused(error: ModuleError) -> JitError {
    match error {
        ModuleError::Allocation { err, .. } => JitError::Unavailable(err.to_string()),
        // What the operating system refuses arrives as an error of the backend.
        ModuleError::Backend(error) => JitError::Unavailable(error.to_string()),
        ModuleError::Compilation(CodegenError::Verifier(errors)) => JitError::Internal(errors.to_string()),
        other => JitError::Internal(other.to_string()),
    }
}

/// Generates and verifies the code of conditions for a machine that need not be
/// this one; gives its bytes. Nothing of it can be run.
///
/// # Errors
/// A machine that this build knows no code for, or a fault of Seg.
pub(crate) fn generate(conditions: &[&Cond], target: &str) -> Result<usize, JitError> {
    let builder =
        cranelift_codegen::isa::lookup_by_name(target).map_err(|e| JitError::Unavailable(format!("{target}: {e}")))?;
    let isa = builder.finish(flags()?).map_err(|e| JitError::Unavailable(e.to_string()))?;
    let (mut builder, mut n_bytes) = (FunctionBuilderContext::new(), 0);
    for cond in conditions {
        let mut context = Context::new();
        context.func.signature = emit::signature(isa.as_ref());
        emit::kernel(&mut context.func, &mut builder, isa.as_ref(), cond);
        verify_function(&context.func, isa.as_ref()).map_err(|e| JitError::Internal(e.to_string()))?;
        let compiled = context.compile(isa.as_ref(), &mut ControlPlane::default());
        n_bytes += compiled.map_err(|e| JitError::Internal(format!("{target}: {:?}", e.inner)))?.code_buffer().len();
        has_no_relocations(&context)?;
    }
    Ok(n_bytes)
}

/// The IR of a condition's kernel, as it is before optimisation, verified.
///
/// # Errors
/// A fault of Seg, or a machine that Cranelift does not know.
pub(crate) fn clif(cond: &Cond) -> Result<String, JitError> {
    let isa = host()?;
    let mut function = ir::Function::with_name_signature(ir::UserFuncName::default(), emit::signature(isa.as_ref()));
    emit::kernel(&mut function, &mut FunctionBuilderContext::new(), isa.as_ref(), cond);
    verify_function(&function, isa.as_ref()).map_err(|e| JitError::Internal(e.to_string()))?;
    Ok(function.display().to_string())
}
