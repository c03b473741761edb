//! The stages, in the order of the work: schedule ─► prepare ─► work ─► check ─► (a person's review) ─► land. Intake,
//! before them, is [`crate::intake`]; archive and rollback stand beside them.

pub(crate) mod archive;
pub(crate) mod check;
pub(crate) mod land;
pub(crate) mod prepare;
pub(crate) mod rollback;
pub(crate) mod schedule;
pub(crate) mod work;
