//! Which of the offered options an answer means. Agents name and number them differently, so the kind comes first and
//! the id only decides between several of one kind.

use divisi_model::inbox::{AskOption, Effect};

use crate::action::{CommandError, Reply};

/// The id of the option; none where the request is to be answered as cancelled.
pub(super) fn option(options: &[AskOption], reply: &Reply) -> Result<Option<String>, CommandError> {
    let wanted: &[Effect] = match reply {
        Reply::Withdraw => return Ok(None),
        Reply::Option(id) => {
            return match options.iter().find(|o| o.id == *id) {
                Some(found) => Ok(Some(found.id.clone())),
                None => Err(no_such(options)),
            };
        }
        Reply::Allow { always: false } => &[Effect::AllowOnce],
        Reply::Allow { always: true } => &[Effect::AllowAlways, Effect::AllowOnce],
        Reply::Deny { always: false } => &[Effect::DenyOnce, Effect::DenyAlways],
        Reply::Deny { always: true } => &[Effect::DenyAlways, Effect::DenyOnce],
        Reply::Words(_) => return Err(no_such(options)),
    };
    let found = wanted.iter().find_map(|effect| narrowest(options, *effect));
    match (found, reply) {
        (Some(option), _) => Ok(Some(option.id.clone())),
        // Who offers no way to say no is told that nobody said yes.
        (None, Reply::Deny { .. }) => Ok(None),
        (None, _) => Err(no_such(options)),
    }
}

/// Of several options with one effect, the one that changes least: Qwen has a second "once" that also switches the
/// mode, Gemini a second "always" for the whole server.
fn narrowest(options: &[AskOption], effect: Effect) -> Option<&AskOption> {
    let wide = ["switch", "mode", "server", "session", "all_", "everything"];
    options.iter().filter(|o| o.effect == effect).min_by_key(|o| {
        let id = o.id.to_lowercase();
        (wide.iter().filter(|word| id.contains(*word)).count(), id.len())
    })
}

fn no_such(options: &[AskOption]) -> CommandError {
    let offered = options.iter().map(|o| o.id.as_str()).collect::<Vec<_>>().join(", ");
    CommandError::NoSuchOption { offered }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(list: &[(&str, Effect)]) -> Vec<AskOption> {
        list.iter()
            .map(|(id, effect)| AskOption { id: (*id).into(), name: (*id).into(), effect: *effect })
            .collect()
    }

    #[test]
    fn the_narrowest_option_of_the_right_kind_is_chosen() {
        use Effect::{AllowAlways, AllowOnce, DenyAlways, DenyOnce};
        let claude =
            options(&[("allow-once", AllowOnce), ("allow-with-updates", AllowAlways), ("reject", DenyOnce)]);
        let codex =
            options(&[("allow_once", AllowOnce), ("allow_for_session", AllowAlways), ("cancel", DenyOnce)]);
        let gemini = options(&[
            ("proceed_always_server", AllowAlways),
            ("proceed_always_tool", AllowAlways),
            ("proceed_once", AllowOnce),
            ("cancel", DenyOnce),
        ]);
        let qwen = options(&[
            ("proceed_once_and_switch_to_default", AllowOnce),
            ("proceed_once", AllowOnce),
            ("cancel", DenyOnce),
        ]);
        let goose = options(&[
            ("allow_always", AllowAlways),
            ("allow_once", AllowOnce),
            ("reject_once", DenyOnce),
            ("reject_always", DenyAlways),
        ]);
        let yes = Reply::Allow { always: false };
        let always = Reply::Allow { always: true };
        let no = Reply::Deny { always: false };
        for (offered, reply, id) in [
            (&claude, &yes, "allow-once"),
            (&claude, &always, "allow-with-updates"),
            (&codex, &no, "cancel"),
            (&codex, &always, "allow_for_session"),
            (&gemini, &always, "proceed_always_tool"),
            (&gemini, &yes, "proceed_once"),
            (&qwen, &yes, "proceed_once"),
            (&qwen, &always, "proceed_once"),
            (&goose, &no, "reject_once"),
            (&goose, &Reply::Deny { always: true }, "reject_always"),
        ] {
            assert_eq!(option(offered, reply).unwrap().as_deref(), Some(id));
        }
        let only_yes = options(&[("ok", AllowOnce)]);
        assert_eq!(option(&only_yes, &no).unwrap(), None);
        assert!(option(&options(&[("no", DenyOnce)]), &yes).is_err());
        assert!(option(&only_yes, &Reply::Option("nope".into())).is_err());
        assert_eq!(option(&only_yes, &Reply::Withdraw).unwrap(), None);
    }
}
