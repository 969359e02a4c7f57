//! A tree of digests over the LPs of an entry, built as RFC 6962 builds it: one LP's part can be proven to be in an
//! entry without the parts of the others.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// That one leaf is under a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The leaf itself, as it stands in the body.
    pub leaf: String,
    /// What it is joined with, from the leaf to the root.
    pub path: Vec<Step>,
}

/// One digest on the way to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It stands to the left.
    Left(Digest),
    /// It stands to the right.
    Right(Digest),
}

/// The root over leaves; [`Digest::NOTHING`] without any.
pub(crate) fn root(leaves: &[String]) -> Digest {
    let leaves: Vec<Digest> = leaves.iter().map(|leaf| leaf_digest(leaf.as_bytes())).collect();
    subtree(&leaves)
}

/// The root over leaves whose digests are known.
pub(crate) fn root_of(leaves: &[Digest]) -> Digest {
    subtree(leaves)
}

/// The proof for the leaf at `place`, if there is one.
pub(crate) fn prove(leaves: &[String], place: usize) -> Option<InclusionProof> {
    let leaf = leaves.get(place)?.clone();
    let digests: Vec<Digest> = leaves.iter().map(|leaf| leaf_digest(leaf.as_bytes())).collect();
    let mut path = Vec::new();
    climb(&digests, place, &mut path);
    Some(InclusionProof { leaf, path })
}

/// The root, and the way to it from each leaf. Each node is hashed once.
pub(crate) fn root_with_paths(leaves: &[Digest]) -> (Digest, Vec<Vec<Step>>) {
    let mut paths = vec![Vec::new(); leaves.len()];
    (climb_from_all(leaves, &mut paths), paths)
}

/// Where a way leads to from a leaf with this digest.
pub(crate) fn climbed(leaf: Digest, path: &[Step]) -> Digest {
    path.iter().fold(leaf, |digest, step| match step {
        Step::Left(left) => node(*left, digest),
        Step::Right(right) => node(digest, *right),
    })
}

impl InclusionProof {
    /// The root that this proof leads to.
    #[must_use]
    pub fn root(&self) -> Digest {
        climbed(leaf_digest(self.leaf.as_bytes()), &self.path)
    }
}

/// Leaves and nodes begin differently, so that neither can be passed off as the other.
pub(crate) fn leaf_digest(leaf: &[u8]) -> Digest {
    Digest::of(&[&[0], leaf])
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest::of(&[&[1], &left.0, &right.0])
}

fn subtree(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::NOTHING,
        [leaf] => *leaf,
        [..] => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(subtree(left), subtree(right))
        }
    }
}

fn climb(leaves: &[Digest], place: usize, path: &mut Vec<Step>) {
    if leaves.len() < 2 {
        return;
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    if place < at {
        climb(left, place, path);
        path.push(Step::Right(subtree(right)));
    } else {
        climb(right, place.saturating_sub(at), path);
        path.push(Step::Left(subtree(left)));
    }
}

fn climb_from_all(leaves: &[Digest], paths: &mut [Vec<Step>]) -> Digest {
    match leaves {
        [] => Digest::NOTHING,
        [leaf] => *leaf,
        [..] => {
            let at = split(leaves.len());
            let (of_left, of_right) = paths.split_at_mut(at);
            let (left, right) = leaves.split_at(at);
            let (left, right) = (climb_from_all(left, of_left), climb_from_all(right, of_right));
            of_left.iter_mut().for_each(|path| path.push(Step::Right(right)));
            of_right.iter_mut().for_each(|path| path.push(Step::Left(left)));
            node(left, right)
        }
    }
}

/// The largest power of two below a length of at least two.
fn split(length: usize) -> usize {
    length.div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_every_tree_is_proven_and_no_changed_one_is() {
        for count in 0..40_usize {
            let leaves: Vec<String> = (0..count).map(|number| format!("leaf {number}")).collect();
            let root = root(&leaves);
            let digests: Vec<Digest> = leaves.iter().map(|leaf| leaf_digest(leaf.as_bytes())).collect();
            let (same_root, paths) = root_with_paths(&digests);
            assert_eq!(same_root, root);
            assert_eq!(paths.len(), count);
            for (place, path) in paths.into_iter().enumerate() {
                let proof = prove(&leaves, place).unwrap();
                assert_eq!(proof.root(), root, "{place} of {count}");
                assert_eq!(proof.path, path);
                let changed = InclusionProof { leaf: "another".to_owned(), ..proof };
                assert_ne!(changed.root(), root);
            }
            assert_eq!(prove(&leaves, count), None);
        }
    }

    #[test]
    fn the_split_is_the_largest_power_of_two_below() {
        let splits: Vec<usize> = [2, 3, 4, 5, 8, 9].into_iter().map(split).collect();
        assert_eq!(splits, [1, 2, 2, 4, 4, 8]);
    }
}
