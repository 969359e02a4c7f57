//! Version 1 of the contract: its functions, found by name in a component.
//! A later major version is another module like this one that converts to [`crate::types`].

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre};

use crate::call::Function;
use crate::engine::Guest;
use crate::types::{Description, Fault, Reply, SignQuery, Signed, Started, Step, Submission};

/// The exported interface. The engine finds any version 1.x by this name.
pub(crate) const INTERFACE: &str = "alp:exchange/adapter@1.0.0";

/// The interface's name without a version.
pub(crate) const INTERFACE_NAME: &str = "alp:exchange/adapter";

/// The major version that this module binds.
pub(crate) const MAJOR: &str = "1";

/// The arguments and the answer of each function.
pub(crate) mod signature {
    use super::{Description, Fault, Reply, SignQuery, Signed, Started, Step, Submission};

    pub(crate) type Describe = ();
    pub(crate) type Described = (Description,);
    pub(crate) type Sign<'a> = (&'a SignQuery,);
    pub(crate) type SignAnswer = (Result<Signed, Fault>,);
    pub(crate) type Start<'a> = (&'a Submission,);
    pub(crate) type StartAnswer = (Result<Started, Fault>,);
    pub(crate) type Resume<'a> = (&'a Submission, &'a [u8], &'a Reply);
    pub(crate) type ResumeAnswer = (Result<Step, Fault>,);
}

/// A component ready to be instantiated, and where its functions are.
pub(crate) struct Exports {
    pub(crate) instance: InstancePre<Guest>,
    describe: ComponentExportIndex,
    sign: ComponentExportIndex,
    start: ComponentExportIndex,
    resume: ComponentExportIndex,
}

impl Exports {
    /// Finds the four functions, or names the one that is missing.
    pub(crate) fn find(component: &Component, instance: InstancePre<Guest>) -> Result<Self, Function> {
        let interface = component.get_export_index(None, INTERFACE);
        let find = |function: Function| {
            let interface = interface.as_ref().ok_or(function)?;
            component.get_export_index(Some(interface), function.name()).ok_or(function)
        };
        Ok(Self {
            describe: find(Function::Describe)?,
            sign: find(Function::Sign)?,
            start: find(Function::Start)?,
            resume: find(Function::Resume)?,
            instance,
        })
    }

    pub(crate) fn index(&self, function: Function) -> &ComponentExportIndex {
        match function {
            Function::Describe => &self.describe,
            Function::Sign => &self.sign,
            Function::Start => &self.start,
            Function::Resume => &self.resume,
        }
    }

    /// Compares the types of all functions with the contract's. The engine compares only when a function
    /// is asked for, so without this a wrong type would show up at some bot's first submission.
    pub(crate) fn check_types(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> Result<(), (Function, wasmtime::Error)> {
        use signature::{Describe, Described, Resume, ResumeAnswer, Sign, SignAnswer, Start, StartAnswer};
        let failed = |function: Function| move |error| (function, error);
        instance
            .get_typed_func::<Describe, Described>(&mut *store, &self.describe)
            .map_err(failed(Function::Describe))?;
        instance
            .get_typed_func::<Sign<'_>, SignAnswer>(&mut *store, &self.sign)
            .map_err(failed(Function::Sign))?;
        instance
            .get_typed_func::<Start<'_>, StartAnswer>(&mut *store, &self.start)
            .map_err(failed(Function::Start))?;
        instance
            .get_typed_func::<Resume<'_>, ResumeAnswer>(&mut *store, &self.resume)
            .map_err(failed(Function::Resume))?;
        Ok(())
    }
}
