//! Ids of objects: what applications hold instead of pointers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::status::{Failure, Status};

/// Locks what stays whole even if a holder panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an id names. In its upper bits, so that an id of one kind is never one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// VAConfigID.
    Config = 1,
    /// VAContextID.
    Context = 2,
    /// VASurfaceID.
    Surface = 3,
    /// VABufferID.
    Buffer = 4,
    /// VAImageID.
    Image = 5,
}

impl Kind {
    /// The error for an id that is none of this kind.
    fn invalid(self) -> Status {
        match self {
            Self::Config => Status::InvalidConfig,
            Self::Context => Status::InvalidContext,
            Self::Surface => Status::InvalidSurface,
            Self::Buffer => Status::InvalidBuffer,
            Self::Image => Status::InvalidImage,
        }
    }
}

/// Bits of an id below its kind.
const NUMBER_BITS: u32 = 24;
/// Objects of a kind at once: an application that has more has lost count.
const MAX_OBJECTS: usize = 1 << 16;

/// The objects of one kind.
#[derive(Debug)]
pub struct Table<T> {
    kind: Kind,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    /// Numbers count up and are reused only after all others: applications keep ids for longer than objects.
    next: u32,
    objects: HashMap<u32, Arc<T>>,
}

impl<T> Table<T> {
    /// No objects.
    pub fn new(kind: Kind) -> Self {
        let state = State {
            next: 0,
            objects: HashMap::new(),
        };
        Self {
            kind,
            state: Mutex::new(state),
        }
    }

    /// Keeps what `make` makes of its id, and gives that id.
    ///
    /// # Errors
    /// [`Status::AllocationFailed`] if there are too many.
    pub fn insert(&self, make: impl FnOnce(u32) -> T) -> Result<u32, Failure> {
        let mut state = lock(&self.state);
        if state.objects.len() >= MAX_OBJECTS {
            let kind = self.kind;
            return Err(Status::AllocationFailed.because(format!("more than {MAX_OBJECTS} objects of kind {kind:?}")));
        }
        loop {
            let id = (self.kind as u32) << NUMBER_BITS | state.next;
            state.next = (state.next + 1) % (1 << NUMBER_BITS);
            if let Entry::Vacant(vacant) = state.objects.entry(id) {
                vacant.insert(Arc::new(make(id)));
                return Ok(id);
            }
        }
    }

    /// The object of that id; it stays whole while it is held, whoever destroys the id.
    ///
    /// # Errors
    /// The kind's `VA_STATUS_ERROR_INVALID_*`.
    pub fn get(&self, id: u32) -> Result<Arc<T>, Failure> {
        let found = lock(&self.state).objects.get(&id).cloned();
        found.ok_or_else(|| self.no_such(id))
    }

    /// Takes the id away.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn remove(&self, id: u32) -> Result<Arc<T>, Failure> {
        let found = lock(&self.state).objects.remove(&id);
        found.ok_or_else(|| self.no_such(id))
    }

    /// Takes everything.
    pub fn take_all(&self) -> Vec<Arc<T>> {
        lock(&self.state).objects.drain().map(|(_, object)| object).collect()
    }

    fn no_such(&self, id: u32) -> Failure {
        let kind = self.kind;
        kind.invalid().because(format!("there is no {kind:?} {id:#x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_or_of_nothing_is_the_kinds_own_error() {
        let surfaces = Table::new(Kind::Surface);
        let contexts = Table::new(Kind::Context);
        let surface = surfaces.insert(|_| ()).unwrap();
        let context = contexts.insert(|_| ()).unwrap();
        assert!(surfaces.get(surface).is_ok());
        for id in [context, surface + 1, 0, u32::MAX] {
            assert_eq!(surfaces.get(id).unwrap_err().status, Status::InvalidSurface);
        }
        assert_eq!(contexts.get(surface).unwrap_err().status, Status::InvalidContext);
    }

    #[test]
    fn an_id_that_was_destroyed_is_not_given_out_again_soon() {
        let table = Table::new(Kind::Buffer);
        let first = table.insert(|_| ()).unwrap();
        table.remove(first).unwrap();
        assert!(table.remove(first).is_err());
        assert_ne!(table.insert(|_| ()).unwrap(), first);
    }

    #[test]
    fn numbers_in_use_are_passed_over_when_they_wrap() {
        let table = Table::new(Kind::Image);
        let first = table.insert(|_| 1).unwrap();
        lock(&table.state).next = (1 << NUMBER_BITS) - 1;
        let last = table.insert(|_| 2).unwrap();
        let next = table.insert(|_| 3).unwrap();
        assert_eq!(next, first + 1);
        assert_eq!((*table.get(first).unwrap(), *table.get(last).unwrap()), (1, 2));
    }

    #[test]
    fn there_is_an_end_to_how_many_there_can_be() {
        let table = Table::new(Kind::Config);
        for _ in 0..MAX_OBJECTS {
            table.insert(|_| ()).unwrap();
        }
        assert_eq!(table.insert(|_| ()).unwrap_err().status, Status::AllocationFailed);
    }
}
