//! Machine code: compiled, kept, called and freed.

use crate::check::check;
use crate::classes::classes;
use crate::emit;
use crate::parameters::Parameters;
use crate::template::Template;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::verifier::verify_function;
use cranelift_codegen::{CodegenError, Context, ir};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use seg_data::{Cancel, parallel};
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
    /// A fault of Seg: parameters that lack what a kernel's code reads.
    Mismatch(&'static str),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::Unavailable(why) => write!(f, "native code cannot be run here: {why}"),
            JitError::Cancelled => write!(f, "it was cancelled"),
            JitError::Internal(why) => write!(f, "native code could not be generated, which is a fault of Seg: {why}"),
            JitError::Mismatch(why) => {
                write!(f, "native code cannot be given its data, which is a fault of Seg: {why}")
            }
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
    // A kernel of many conditions takes more of the stack than the page that guards
    // its end, so every page is touched in turn before the stack is used.
    flags.set("enable_probestack", "true").map_err(internal)?;
    flags.set("probestack_strategy", "inline").map_err(internal)?;
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

/// The code of a template, which many threads may run at once; a clone is a handle
/// to the same code. It is bound to parameters before it runs.
#[derive(Clone)]
pub struct Kernel {
    entry: Entry,
    template: Arc<Template>,
    /// Keeps `entry` alive.
    _code: Arc<Code>,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({:?})", self.template)
    }
}

/// Memory that kernels work in, for one thread; grows as they need.
#[derive(Debug, Default)]
pub struct Scratch(Vec<u64>);

/// A kernel with parameters that have all that its code reads.
#[derive(Debug, Clone)]
pub struct BoundKernel {
    kernel: Kernel,
    /// INVARIANT: for every row below `n_people` they were checked to have what the
    /// code of the kernel's template reads.
    parameters: Parameters,
    n_people: usize,
    n_scratch: usize,
}

impl Kernel {
    /// What it was generated from.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Binds the kernel to parameters, for a batch of so many people.
    ///
    /// # Errors
    /// [`JitError::Mismatch`]: parameters that were filled for another template, or
    /// for fewer people.
    pub fn bind(&self, mut parameters: Parameters, n_people: usize) -> Result<BoundKernel, JitError> {
        let n_scratch = check(&self.template, &parameters, n_people).map_err(JitError::Mismatch)?;
        // Code may look at its first parameter before it knows that it has nothing
        // to do.
        parameters.int(0);
        Ok(BoundKernel { kernel: self.clone(), parameters, n_people, n_scratch })
    }
}

impl BoundKernel {
    /// Whether it computes a value for each person, which it then writes.
    pub fn has_values(&self) -> bool {
        match *self.kernel.template {
            Template::Condition(_) => false,
            Template::Value(_) => true,
        }
    }

    /// Decides for the people of a selection, which begins with the person `first`,
    /// and writes the answers to `out`, as many words: whether the condition holds,
    /// or the value is there. Values are written to `values`, which must have room
    /// for 64 a word then. People past the end of the batch are in nothing.
    ///
    /// Fewer words of `out`, or less room for values, leave the rest undecided.
    pub fn run(&self, first: usize, selection: &[u64], out: &mut [u64], values: &mut [i64], scratch: &mut Scratch) {
        let room = if self.has_values() { values.len() / 64 } else { usize::MAX };
        let n_words = selection.len().min(out.len()).min(room);
        let n_rows = self.n_people.saturating_sub(first);
        let n_whole = n_words.min(n_rows / 64);
        if scratch.0.len() < self.n_scratch {
            scratch.0.resize(self.n_scratch, 0);
        }
        let (Some(whole), Some(to)) = (selection.get(..n_whole), out.get_mut(..n_whole)) else { return };
        self.call(first, whole, to, values, scratch);
        // The last word of a batch may have bits that stand for nobody.
        for at in n_whole..n_words {
            let there = n_rows.saturating_sub(at * 64);
            if there == 0 {
                out.get_mut(at..n_words).unwrap_or(&mut []).fill(0);
                return;
            }
            let bits = if there < 64 { (1_u64 << there) - 1 } else { u64::MAX };
            let (Some(word), Some(to)) = (selection.get(at), out.get_mut(at..=at)) else { return };
            let values = if self.has_values() { values.get_mut(at * 64..).unwrap_or(&mut []) } else { &mut [] };
            self.call(first + at * 64, &[word & bits], to, values, scratch);
        }
    }

    /// Every bit of `selection` stands for a person of the batch; `out` is as long,
    /// `values` has 64 places a word where values are written, and `scratch` what
    /// the code works in.
    fn call(&self, first: usize, selection: &[u64], out: &mut [u64], values: &mut [i64], scratch: &mut Scratch) {
        // SAFETY: `bind` checked that the parameters have what the code reads for
        // every person of the batch, and they keep it alive; the caller keeps to
        // such people and to the lengths that the code writes within; `out`,
        // `values` and `scratch` are borrowed mutably, so nobody else has them; and
        // `_code` keeps the code.
        unsafe {
            (self.kernel.entry)(
                self.parameters.words().as_ptr(),
                first as u64,
                selection.len() as u64,
                selection.as_ptr(),
                out.as_mut_ptr(),
                scratch.0.as_mut_ptr(),
                values.as_mut_ptr(),
            );
        }
    }
}

/// Fewer templates are sooner compiled than handed to another thread.
const TEMPLATES_PER_THREAD: usize = 4;

/// Compiles templates, each thread its share of them.
///
/// # Errors
/// Those of [`compile`].
pub(crate) fn compile_all(
    templates: &[&Template],
    n_threads: NonZero<usize>,
    cancel: &Cancel,
) -> Result<Vec<Kernel>, JitError> {
    let n_each = templates.len().div_ceil(n_threads.get()).max(TEMPLATES_PER_THREAD);
    let shares = parallel::map_chunks(templates, n_each, |_, share| compile(share, cancel));
    Ok(shares.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

/// Compiles templates, all in one piece of code memory.
///
/// # Errors
/// Memory that may not be made executable, or a fault of Seg.
pub(crate) fn compile(templates: &[&Template], cancel: &Cancel) -> Result<Vec<Kernel>, JitError> {
    let isa = host()?;
    let module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    // From here on, dropping frees the memory, also when compiling fails.
    let mut code = Code { module: ManuallyDrop::new(module) };
    let mut functions: Vec<FuncId> = Vec::with_capacity(templates.len());
    let mut context = code.module.make_context();
    let mut builder = FunctionBuilderContext::new();
    for template in templates {
        if cancel.is_cancelled() {
            return Err(JitError::Cancelled);
        }
        let isa = code.module.isa();
        context.func.signature = emit::signature(isa);
        build(&mut context.func, &mut builder, isa, template)?;
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
    let kernel = |(address, template): (*const u8, &&Template)| {
        // SAFETY: `address` is a finalized function that was built with the
        // signature of `Entry` and the C calling convention of this machine.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Kernel { entry, template: Arc::new((*template).clone()), _code: Arc::clone(&code) }
    };
    Ok(addresses.into_iter().zip(templates).map(kernel).collect())
}

/// Builds the kernel of a template. Code is generated for values of the classes that
/// each operation takes; of others the generator would make code that means something
/// else.
fn build(
    function: &mut ir::Function,
    builder: &mut FunctionBuilderContext,
    isa: &dyn TargetIsa,
    template: &Template,
) -> Result<(), JitError> {
    let built = classes(template).and_then(|()| emit::kernel(function, builder, isa, template));
    built.map_err(|why| JitError::Internal(why.to_owned()))
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

/// Generates and verifies the code of templates for a machine that need not be
/// this one; gives its bytes. Nothing of it can be run.
///
/// # Errors
/// A machine that this build knows no code for, or a fault of Seg.
pub fn generate(templates: &[&Template], target: &str) -> Result<usize, JitError> {
    let builder =
        cranelift_codegen::isa::lookup_by_name(target).map_err(|e| JitError::Unavailable(format!("{target}: {e}")))?;
    let isa = builder.finish(flags()?).map_err(|e| JitError::Unavailable(e.to_string()))?;
    let (mut builder, mut n_bytes) = (FunctionBuilderContext::new(), 0);
    for template in templates {
        let mut context = Context::new();
        context.func.signature = emit::signature(isa.as_ref());
        build(&mut context.func, &mut builder, isa.as_ref(), template)?;
        verify_function(&context.func, isa.as_ref()).map_err(|e| JitError::Internal(e.to_string()))?;
        let compiled = context.compile(isa.as_ref(), &mut ControlPlane::default());
        n_bytes += compiled.map_err(|e| JitError::Internal(format!("{target}: {:?}", e.inner)))?.code_buffer().len();
        has_no_relocations(&context)?;
    }
    Ok(n_bytes)
}

/// The IR of a template's kernel, as it is before optimisation, verified.
///
/// # Errors
/// A fault of Seg, or a machine that Cranelift does not know.
pub fn clif(template: &Template) -> Result<String, JitError> {
    let isa = host()?;
    let mut function = ir::Function::with_name_signature(ir::UserFuncName::default(), emit::signature(isa.as_ref()));
    build(&mut function, &mut FunctionBuilderContext::new(), isa.as_ref(), template)?;
    verify_function(&function, isa.as_ref()).map_err(|e| JitError::Internal(e.to_string()))?;
    Ok(function.display().to_string())
}
