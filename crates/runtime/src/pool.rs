//! Warm environments that wait for their next event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::environment::Environment;
use crate::function::FunctionSpec;

/// How long credentials must outlive the longest run that could begin now.
const CREDENTIALS_MARGIN: Duration = Duration::from_mins(1);

/// Idle environments by function and version.
#[derive(Default)]
pub(crate) struct Pool {
    state: Mutex<State>,
}

type Key = (Arc<str>, Arc<str>);

#[derive(Default)]
struct State {
    idle: HashMap<Key, Vec<(Environment, Instant)>>,
    generations: HashMap<Arc<str>, u64>,
    closed: bool,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a function has been retired.
    pub(crate) fn generation(&self, arn: &str) -> u64 {
        self.state().generations.get(arn).copied().unwrap_or(0)
    }

    /// The most recently used environment that can run this function now. Those that no longer can are ended.
    pub(crate) fn take(&self, function: &FunctionSpec) -> Option<Environment> {
        let needed_until = latest_end(function.timeout);
        let mut unfit = Vec::new();
        let found = {
            let mut state = self.state();
            let environments = state.idle.get_mut(&key(function))?;
            let mut found = None;
            while let Some((environment, _)) = environments.pop() {
                let fits = environment.revision == function.revision
                    && environment.valid_until > needed_until
                    && environment.ended().is_none();
                if fits {
                    found = Some(environment);
                    break;
                }
                unfit.push(environment);
            }
            found
        };
        drop(unfit);
        found
    }

    /// Keeps an environment for the next event, unless its function was retired meanwhile.
    pub(crate) fn put(&self, function: &FunctionSpec, environment: Environment) {
        let mut state = self.state();
        let generation = state.generations.get(&function.arn).copied().unwrap_or(0);
        if state.closed || generation != environment.generation || environment.ended().is_some() {
            drop(state);
            drop(environment);
            return;
        }
        state
            .idle
            .entry(key(function))
            .or_default()
            .push((environment, Instant::now()));
    }

    /// Ends the idle environments of a function, and the busy ones as soon as they are done.
    pub(crate) fn retire(&self, arn: &str) {
        let mut state = self.state();
        let generation = state.generations.entry(Arc::from(arn)).or_default();
        *generation = generation.saturating_add(1);
        let removed: Vec<_> = state.idle.extract_if(|(of, _), _| &**of == arn).collect();
        drop(state);
        drop(removed);
    }

    /// Ends environments that nobody needed for `limit`.
    pub(crate) fn end_idle(&self, limit: Duration) {
        let mut unneeded = Vec::new();
        self.state().idle.retain(|_, environments| {
            unneeded.extend(environments.extract_if(.., |(environment, since)| {
                since.elapsed() >= limit || environment.ended().is_some()
            }));
            !environments.is_empty()
        });
    }

    /// Ends all idle environments and keeps none from now on.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let all = std::mem::take(&mut state.idle);
        drop(state);
        drop(all);
    }

    /// Number of idle environments.
    pub(crate) fn idle(&self) -> usize {
        self.state().idle.values().map(Vec::len).sum()
    }
}

fn key(function: &FunctionSpec) -> Key {
    (function.arn.clone(), function.version.clone())
}

/// When a run that begins now may end at the latest, with a margin.
fn latest_end(timeout: Duration) -> Timestamp {
    let span = timeout.saturating_add(CREDENTIALS_MARGIN);
    Timestamp::now().checked_add(span).unwrap_or(Timestamp::MAX)
}
