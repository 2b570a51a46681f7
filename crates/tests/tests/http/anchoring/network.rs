//! A small network in memory that can be made to do what networks do.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use yj_anchor::{Chain, Mark, Offer, Place, Status, Trouble};

type Digest = [u8; 32];

/// What the network is like now.
#[derive(Default)]
pub struct State {
    /// Number of the newest block.
    pub height: u64,
    /// Which history it tells: part of the names of its blocks from `forked_at` on.
    fork: u64,
    forked_at: u64,
    /// What waits.
    pub waiting: Vec<Offer>,
    /// Transactions in blocks.
    mined: BTreeMap<String, u64>,
    /// How many of our account's it has taken up.
    pub nonce: u64,
    /// What each offer wants kept.
    marks: BTreeMap<String, Mark>,
    /// What is kept.
    pub roots: BTreeMap<u64, Digest>,
    /// Whether nobody answers.
    pub down: bool,
    /// Whether another network answers.
    pub wrong: bool,
    /// How often something was sent.
    pub sent: usize,
}

impl State {
    fn name_of(&self, number: u64) -> String {
        let fork = if number >= self.forked_at { self.fork } else { 0 };
        format!("0x{number:08x}{fork:08x}")
    }

    /// A block with everything that waits, and further ones.
    pub fn mine(&mut self, count: u64) {
        self.height += 1;
        for offer in std::mem::take(&mut self.waiting) {
            if offer.nonce != self.nonce {
                continue;
            }
            self.nonce += 1;
            let mark = self.marks[&offer.tx].clone();
            self.roots.entry(mark.size).or_insert(mark.root);
            self.mined.insert(offer.tx, self.height);
        }
        self.height += count - 1;
    }

    /// Another history from `depth` blocks ago on, as long and without our transactions.
    pub fn reorganise(&mut self, depth: u64) {
        (self.fork, self.forked_at) = (self.fork + 1, self.height + 1 - depth);
        let lost: Vec<String> = self
            .mined
            .iter()
            .filter(|(_, number)| **number >= self.forked_at)
            .map(|(tx, _)| tx.clone())
            .collect();
        for tx in lost {
            self.mined.remove(&tx);
            self.nonce -= 1;
            self.roots.remove(&self.marks[&tx].size);
        }
    }

    /// Somebody else uses our account: what waits never comes.
    pub fn replace(&mut self) {
        self.waiting.clear();
        self.nonce += 1;
    }

    fn answer(&self) -> Result<(), Trouble> {
        if self.down {
            return Err(Trouble::Unreachable(String::from("连接被拒绝")));
        }
        if self.wrong {
            return Err(Trouble::WrongChain { expected: 20_200, found: 1 });
        }
        Ok(())
    }
}

/// The network as the platform speaks to it, and as the test does.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<State>>);

impl Network {
    pub fn now(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Chain for Network {
    fn network(&self) -> String {
        String::from("eip155:20200")
    }

    fn contract(&self) -> String {
        String::from("0x00000000000000000000000000000000000000Aa")
    }

    fn account(&self) -> String {
        String::from("0x00000000000000000000000000000000000000Bb")
    }

    fn prepare(&self, mark: &Mark, before: Option<&Offer>) -> Result<Offer, Trouble> {
        let mut now = self.now();
        now.answer()?;
        if let Some(root) = now.roots.get(&mark.size).filter(|root| **root != mark.root) {
            let found = yj_crypto::to_hex(root);
            return Err(Trouble::OtherRoot { size: mark.size, found });
        }
        let price = before.map_or(1, |before| before.price + 1);
        let tx = format!("0x{:08x}{price:08x}", now.nonce);
        now.marks.insert(tx.clone(), mark.clone());
        Ok(Offer { tx, nonce: now.nonce, price, raw: vec![1] })
    }

    fn send(&self, offer: &Offer) -> Result<(), Trouble> {
        let mut now = self.now();
        now.answer()?;
        now.sent += 1;
        now.waiting.retain(|waiting| waiting.nonce != offer.nonce);
        now.waiting.push(offer.clone());
        Ok(())
    }

    fn status(&self, offer: &Offer) -> Result<Status, Trouble> {
        let now = self.now();
        now.answer()?;
        Ok(if let Some(number) = now.mined.get(&offer.tx) {
            let place = Place { number: *number, hash: now.name_of(*number) };
            Status::Included(place, now.height + 1 - number)
        } else if now.nonce > offer.nonce {
            Status::Replaced
        } else if now.waiting.contains(offer) {
            Status::Pending
        } else {
            Status::Gone
        })
    }

    fn read(&self, _: &Digest, size: u64) -> Result<Option<Digest>, Trouble> {
        let now = self.now();
        now.answer()?;
        Ok(now.roots.get(&size).copied())
    }

    fn holds(&self, place: &Place) -> Result<bool, Trouble> {
        let now = self.now();
        now.answer()?;
        Ok(now.name_of(place.number) == place.hash)
    }
}
