//! Room: how many deliveries the lanes can take, in number and in bytes, and the pressure that bounds the
//! number.

use webhook_store::LaneRoom;

/// How many deliveries a worker's lanes take now.
pub(crate) struct Room {
    /// The lanes whose room is not `default_free`.
    pub(crate) lanes: Vec<LaneRoom>,
    /// The room of every other lane, for first attempts and for retries each.
    pub(crate) default_free: i32,
    /// How many bytes of bodies may be claimed.
    pub(crate) bytes: i64,
}

/// The kind of deliveries in need of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoomFor {
    /// Deliveries of new events. Half of each lane is left to the backlog, whose deliveries are older
    /// and would otherwise wait for as long as new events come.
    NewEvents,
    /// Deliveries of the backlog.
    Backlog,
}

impl RoomFor {
    /// How much of a lane's capacity the deliveries may use.
    pub(super) fn share(self, capacity: usize) -> usize {
        match self {
            Self::NewEvents => capacity / 2,
            Self::Backlog => capacity,
        }
    }
}

/// How full all lanes together are, which bounds the deliveries of each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressure {
    /// A lane takes its full capacity.
    Normal,
    /// Many deliveries: a lane takes no more than run at once.
    Tight,
    /// Many bytes: an empty lane takes a single delivery, other lanes none.
    Heavy,
}
