use webhook_store::claims::LaneRoom;

use super::lane::LANE_CAPACITY;

/// What a worker has room for.
pub(crate) struct Room {
    /// The lanes whose room is not `default_free`.
    pub(crate) lanes: Vec<LaneRoom>,
    pub(crate) default_free: i32,
    pub(crate) bytes: i64,
}

impl Room {
    /// What of it new events may take: half of each lane is left to the backlog, whose events are
    /// older and would wait for as long as new ones come.
    pub(crate) fn for_intake(mut self) -> Self {
        let kept_free = i32::try_from(LANE_CAPACITY / 2).unwrap_or(i32::MAX);
        for lane in &mut self.lanes {
            lane.first_attempts = (lane.first_attempts - kept_free).max(0);
        }
        self.default_free = self.default_free.min(kept_free);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_domain::WebhookId;

    #[test]
    fn half_of_a_lane_is_left_to_what_waits() {
        let lane = |first_attempts| LaneRoom {
            webhook_id: WebhookId(uuid::Uuid::nil()),
            first_attempts,
            retries: 128,
            queued: 128 - first_attempts,
        };
        let room = Room {
            lanes: vec![lane(128), lane(100), lane(10)],
            default_free: 128,
            bytes: 0,
        };

        let room = room.for_intake();

        let free: Vec<i32> = room.lanes.iter().map(|lane| lane.first_attempts).collect();
        assert_eq!((free, room.default_free), (vec![64, 36, 0], 64));
    }
}
