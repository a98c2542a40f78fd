use webhook_store::LaneRoom;

/// What a worker has room for.
pub(crate) struct Room {
    /// The lanes whose room is not `default_free`.
    pub(crate) lanes: Vec<LaneRoom>,
    pub(crate) default_free: i32,
    pub(crate) bytes: i64,
}

/// What lanes are to have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// New events. Half of each lane is left to the backlog, whose events are older and would wait
    /// for as long as new ones come.
    Events,
    /// What waits in Postgres.
    Backlog,
}

impl For {
    /// How much of a lane's room it may use.
    pub(super) fn share(self, capacity: usize) -> usize {
        match self {
            Self::Events => capacity / 2,
            Self::Backlog => capacity,
        }
    }
}
