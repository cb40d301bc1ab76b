//! How much may run at once: the account's concurrency and a function's reserved part of it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ThrottleReason;

/// Counts running invocations.
#[derive(Debug)]
pub(crate) struct Scaling {
    limit: u32,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    functions: HashMap<Arc<str>, u32>,
    /// Invocations of functions without reserved concurrency.
    unreserved: u32,
}

/// Permission to run one invocation; counted until dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    scaling: Arc<Scaling>,
    function: Arc<str>,
    reserved: bool,
}

impl Scaling {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self {
            limit,
            running: Mutex::default(),
        })
    }

    /// Takes a slot for one invocation of `function`, or says which limit is reached.
    pub(crate) fn enter(
        self: &Arc<Self>,
        function: &Arc<str>,
        reserved: Option<u32>,
    ) -> Result<Slot, ThrottleReason> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let of_function = running.functions.get(function).copied().unwrap_or(0);
        match reserved {
            Some(limit) if of_function >= limit => {
                return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
            None if running.unreserved >= self.limit => {
                return Err(ThrottleReason::ConcurrentInvocationLimitExceeded);
            }
            _ => {}
        }
        running
            .functions
            .insert(function.clone(), of_function.saturating_add(1));
        if reserved.is_none() {
            running.unreserved = running.unreserved.saturating_add(1);
        }
        Ok(Slot {
            scaling: self.clone(),
            function: function.clone(),
            reserved: reserved.is_some(),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self
            .scaling
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.functions.get_mut(&self.function) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.functions.remove(&self.function);
            }
        }
        if !self.reserved {
            running.unreserved = running.unreserved.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn limits_hold_and_are_given_back() {
        let scaling = Scaling::new(2);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let first = scaling.enter(&a, None).unwrap();
        let second = scaling.enter(&b, None).unwrap();
        assert_eq!(
            scaling.enter(&a, None).unwrap_err(),
            ThrottleReason::ConcurrentInvocationLimitExceeded
        );
        drop(first);
        let third = scaling.enter(&a, None).unwrap();
        drop((second, third));
        assert!(scaling.running.lock().unwrap().functions.is_empty());
    }

    #[test]
    fn reserved_concurrency_bounds_and_guarantees() {
        let scaling = Scaling::new(0);
        let function: Arc<str> = "f".into();
        let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
        assert_eq!(scaling.enter(&function, Some(0)).unwrap_err(), reason);
        let held = scaling.enter(&function, Some(1)).unwrap();
        assert_eq!(scaling.enter(&function, Some(1)).unwrap_err(), reason);
        drop(held);
        assert!(scaling.enter(&function, Some(1)).is_ok());
    }
}
