//! Dependencies first: a stable topological order, without recursion.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Indices in an order in which each comes after those it depends on, the smallest first where there is a choice. `Err` is one
/// cycle: each entry depends on the next, the last on the first.
pub(crate) fn sort(dependencies: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<usize> = dependencies.iter().map(BTreeSet::len).collect();
    let mut dependents = vec![Vec::new(); dependencies.len()];
    for (index, needed) in dependencies.iter().enumerate() {
        for &other in needed {
            if let Some(list) = dependents.get_mut(other) {
                list.push(index);
            }
        }
    }
    let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = free.map(|(index, _)| Reverse(index)).collect();
    let mut order = Vec::with_capacity(dependencies.len());
    while let Some(Reverse(done)) = ready.pop() {
        order.push(done);
        for &dependent in dependents.get(done).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(dependent));
                }
            }
        }
    }
    if order.len() == dependencies.len() {
        Ok(order)
    } else {
        Err(cycle(dependencies, &order))
    }
}

/// Every entry left over waits for another one left over: following them must come back to one already seen.
fn cycle(dependencies: &[BTreeSet<usize>], ordered: &[usize]) -> Vec<usize> {
    let ordered: BTreeSet<usize> = ordered.iter().copied().collect();
    let mut trail: Vec<usize> = Vec::new();
    let mut current = (0..dependencies.len()).find(|index| !ordered.contains(index));
    while let Some(index) = current {
        if let Some(start) = trail.iter().position(|&seen| seen == index) {
            return trail.split_off(start);
        }
        trail.push(index);
        current = dependencies
            .get(index)
            .and_then(|needed| needed.iter().copied().find(|other| !ordered.contains(other)));
    }
    trail
}

/// `A → B → A` for an error.
pub(crate) fn describe<'a>(cycle: &[usize], name: impl Fn(usize) -> &'a str) -> String {
    cycle
        .iter()
        .chain(cycle.first())
        .map(|&index| name(index))
        .collect::<Vec<_>>()
        .join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        edges
            .iter()
            .map(|needed| needed.iter().copied().collect())
            .collect()
    }

    #[test]
    fn dependencies_come_first_and_the_order_is_stable() {
        assert_eq!(sort(&graph(&[&[], &[], &[]])), Ok(vec![0, 1, 2]));
        assert_eq!(sort(&graph(&[&[2], &[], &[1]])), Ok(vec![1, 2, 0]));
        assert_eq!(sort(&graph(&[&[3], &[], &[], &[]])), Ok(vec![1, 2, 3, 0]));
    }

    #[test]
    fn a_cycle_is_named_without_what_leads_to_it() {
        assert_eq!(sort(&graph(&[&[1], &[2], &[1]])), Err(vec![1, 2]));
        assert_eq!(sort(&graph(&[&[0]])), Err(vec![0]));
        assert_eq!(describe(&[1, 2], |index| ["A", "B", "C"][index]), "B → C → B");
    }
}
