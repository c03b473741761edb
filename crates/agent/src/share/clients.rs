//! Clients that go away.

use super::common::Common;
use super::routing::{Client, Owner, Routing};

impl Routing {
    pub(super) fn take_leave(&mut self, client: Client, now: u64) {
        if !self.clients.remove(&client) {
            return;
        }
        for common in self.common.values_mut() {
            if let Common::Asked(waiting) = common {
                waiting.retain(|(who, _)| *who != client);
            }
        }
        for pending in self.pending.values_mut() {
            pending.from.take_if(|(who, _)| *who == client);
        }
        for owner in self.sessions.values_mut() {
            if let Owner::Nobody(leaving) = owner {
                leaving.waiting.retain(|(who, _)| *who != client);
            }
        }
        let asked = self.asked.iter().filter(|(_, asked)| asked.client == client);
        let asked: Vec<_> = asked.map(|(id, asked)| (id.clone(), asked.method.clone())).collect();
        let is_its = |owner: &Owner| matches!(owner, Owner::Client(owner) if *owner == client);
        let its = self.sessions.iter().filter(|(_, owner)| is_its(owner));
        let its: Vec<String> = its.map(|(session, _)| session.clone()).collect();
        for session in its {
            self.leave(&session, now);
        }
        for (id, method) in asked {
            self.asked.remove(&id);
            self.withdraw(&id, &method);
        }
    }
}
