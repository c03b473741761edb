//! Words of `model` that go over the wire as they are, each with a schema of its own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// An enum of the wire that mirrors one of `model`; it stops compiling when the other one grows.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $model:path { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                use $model as Model;
                match value { $(Model::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $model {
            fn from(value: $name) -> Self {
                use $model as Model;
                match value { $($name::$variant => Model::$variant),+ }
            }
        }
    };
}

mirror! {
    /// The columns of the board, in their order.
    Attention = divisi_model::view::Attention {
        /// It waits for a slot.
        Backlog,
        /// It goes on by itself.
        Working,
        /// It waits for a person.
        NeedsYou,
        /// A proven result waits for a verdict.
        InReview,
        /// Approved.
        ReadyToLand,
        /// Landed, stopped or archived.
        Done,
    }
}

mirror! {
    /// What a notice is about, in a word.
    NoticeKind = divisi_model::notice::NoticeKind {
        /// An agent asks for a permission.
        Permission,
        /// An agent asks something, or a criterion waits for a person's judgement.
        Question,
        /// A result waits for review.
        Review,
        /// An attempt cannot go on by itself.
        Stall,
        /// A result is on its target branch.
        Landed,
        /// A result could not land.
        Failed,
    }
}

mirror! {
    /// When a message reaches an agent that is in the middle of a turn.
    Delivery = divisi_model::event::Delivery {
        /// After the turn.
        Queue,
        /// At the next safe moment of the running turn, where the agent can; otherwise right after it.
        Steer,
        /// Now: the running turn is cancelled first.
        Interrupt,
    }
}

mirror! {
    /// Where a prompt comes from.
    Origin = divisi_model::event::Origin {
        /// The task itself.
        Task,
        /// A person's message.
        Person,
        /// A failed check.
        Check,
        /// A review.
        Review,
        /// A conflict with what landed meanwhile.
        Conflict,
        /// A usage limit that is over: what was asked before it.
        Limit,
        /// The result changed files outside of the task's scope.
        Scope,
    }
}

mirror! {
    /// What a person decides on a result.
    Verdict = divisi_model::review::Verdict {
        /// It may land.
        Approved,
        /// It goes back with the comments as the next turn.
        ChangesRequested,
        /// It may not land after all: an approval is taken back, and the result waits for a verdict again.
        Withdrawn,
    }
}

mirror! {
    /// Which permission requests are answered without a person.
    Permissions = divisi_model::task::Permissions {
        /// None: every request waits for a person.
        Ask,
        /// Reading, searching, and editing files inside the workspace.
        Edits,
        /// Everything.
        All,
    }
}

mirror! {
    /// How a result is put on its target branch.
    LandingMode = divisi_model::task::LandingMode {
        /// A merge commit, always.
        Merge,
        /// One commit.
        Squash,
        /// The result's commits, replayed.
        Rebase,
    }
}

mirror! {
    /// What an option of a question does.
    Effect = divisi_model::inbox::Effect {
        /// Allows this once.
        AllowOnce,
        /// Allows this and what is like it, as the agent sees it.
        AllowAlways,
        /// Refuses this once.
        DenyOnce,
        /// Refuses this and what is like it.
        DenyAlways,
        /// An answer in words, neither yes nor no.
        Other,
    }
}

impl Attention {
    /// The words of the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backlog => "backlog",
            Self::Working => "working",
            Self::NeedsYou => "needs_you",
            Self::InReview => "in_review",
            Self::ReadyToLand => "ready_to_land",
            Self::Done => "done",
        }
    }
}

impl std::fmt::Display for Attention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        divisi_model::view::Attention::from(*self).fmt(f)
    }
}

mirror! {
    /// Which file of a comparison a line is in.
    Side = divisi_model::comment::Side {
        /// The one that the change started from.
        Before,
        /// The one that the change leads to.
        After,
    }
}

mirror! {
    /// What has become of a comment.
    CommentStage = divisi_model::comment::CommentStage {
        /// Nobody has been told.
        Draft,
        /// A verdict sent it, and nothing has answered it yet.
        Sent,
        /// A result changed something at its place.
        Answered,
        /// What it stood at is gone.
        Outdated,
        /// It is settled.
        Resolved,
        /// It was taken up again.
        Reopened,
    }
}
