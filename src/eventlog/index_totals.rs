//! How many rows an index has and what their hashes add up to, whatever their order.
//!
//! The file carries both at its checkpoint, written together with the rows. What is in the file
//! later is what was written only if it counts and adds up to the same: a bit that has changed
//! since changes the sum, up to a chance of 2⁻¹²⁸. This is against decay, not against forgers.

use uuid::Uuid;

use crate::Position;

/// Bytes of a sum as it is stored.
pub(crate) const SUM_BYTES: usize = 16;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) rows: u64,
    pub(crate) sum: u128,
}

impl Totals {
    /// Adds one row by its hash.
    pub(crate) fn add(&mut self, row_hash: u128) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row_hash);
    }
}

/// The hash of a row of the table `command`.
pub(crate) fn command_row(id: Uuid, position: Position) -> u128 {
    let mut row = [0; 25];
    row[0] = 1;
    row[1..17].copy_from_slice(id.as_bytes());
    row[17..].copy_from_slice(&position.to_be_bytes());
    row_hash(&row)
}

/// The hash of a row of the table `stream_commit`.
pub(crate) fn stream_row(stream: i64, position: Position, version: i64) -> u128 {
    let mut row = [0; 25];
    row[0] = 2;
    row[1..9].copy_from_slice(&stream.to_be_bytes());
    row[9..17].copy_from_slice(&position.to_be_bytes());
    row[17..].copy_from_slice(&version.to_be_bytes());
    row_hash(&row)
}

fn row_hash(row: &[u8; 25]) -> u128 {
    let mut head = [0; SUM_BYTES];
    head.copy_from_slice(&blake3::hash(row).as_bytes()[..SUM_BYTES]);
    u128::from_be_bytes(head)
}
