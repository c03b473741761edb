//! What an error of an agent is about: a login, a limit that ends by itself, credit that somebody must buy, or anything
//! else. Decided by tables over what vendors really send; whether words are an error at all is for [`crate::outcome`].

mod data;
mod meaning;
mod rule;

pub(crate) use data::{Data, epoch};
pub(crate) use meaning::{Report, meaning};
pub use rule::{ErrorRule, Meaning};
pub(crate) use rule::{Rules, vendor_sentence};
