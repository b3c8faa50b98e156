//! How a delivery begins: the audience, what is configured, who left earlier audiences, the
//! members, what became of additions that nobody heard of, and contacts that a person says are
//! ours.

use super::adopt;
use crate::integrations::mailchimp::mirror::earlier;
use crate::integrations::mailchimp::mirror::freshness::read_members;
use crate::integrations::mailchimp::mirror::memory::Memory;
use crate::integrations::mailchimp::mirror::merge_fields::foresee;
use crate::integrations::mailchimp::mirror::permissions;
use crate::integrations::mailchimp::mirror::session::{MailchimpSession, Obstacle};
use crate::integrations::mailchimp::mirror::unheard;
use crate::plugin::{PluginContext, PluginError};
use std::sync::Arc;

/// Subscribed members that are known.
async fn subscribed(ctx: &PluginContext) -> Result<u64, PluginError> {
    let known = ctx.member_counts(None).await?;
    Ok(known.get("subscribed").copied().unwrap_or_default())
}

/// Looks how the audience is set up and who is in it, however fresh the mirror is.
pub(crate) async fn refresh(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<(), PluginError> {
    let _alone = session.read_alone().await;
    session.forget_full();
    session.note_obstacle(None);
    let stored: Option<Memory> = ctx.state().await?;
    // Opt-outs may be passed on before the audience answers, by what was known of it.
    if let Some(stored) = &stored {
        session.restore(stored.clone());
    }
    if session.audience.setup().size == 0 {
        session.audience.presume(subscribed(ctx).await?);
    }
    let setup = session.audience.load_setup(&session.api, &session.settings);
    if let Err(error) = setup.await {
        return match (Obstacle::of(&error), stored) {
            // Who said no does not wait until the audience can be read: who is in it is known.
            (Some(obstacle), Some(_)) if !ctx.is_preview() => {
                session.note_obstacle(Some(obstacle));
                Ok(())
            }
            _ => Err(error),
        };
    }
    let before: Memory = match stored {
        Some(memory) => memory,
        None => ctx
            .state_of_before()
            .await?
            .map(Memory::after)
            .unwrap_or_default(),
    };
    let mut memory = before.clone();
    if memory.configure(&session.settings, ctx.now()) {
        ctx.make_everybody_due().await?;
    }
    // Who said no does not wait until it is mended.
    let fault = match permissions::check(session, &memory).await {
        Ok(known) => {
            memory.known_permissions = known;
            None
        }
        Err(PluginError::Configuration { cause, .. }) if !ctx.is_preview() => Some(cause),
        Err(error) => return Err(error),
    };
    session.note_obstacle(fault.map(Obstacle::Permissions));
    let whole_at = memory.whole_at;
    session.restore(before);
    session.remember(ctx, |known| *known = memory).await?;
    let silent = earlier::read_all(session, ctx).await?;
    if let Err(error) = read_members(session, ctx, true).await {
        // Who said no does not wait until its lists can be read again.
        let obstacle = Obstacle::of(&error).filter(|_| !ctx.is_preview());
        session.note_obstacle(Some(obstacle.ok_or(error)?));
        return Ok(());
    }
    if session.audience.is_to_be_counted() {
        session.audience.note_counted(subscribed(ctx).await?);
    }
    // Whoever left there since is not known: nobody is added, and who says no is heard here.
    if let Some(why) = silent {
        session.note_obstacle(Some(Obstacle::Unreadable(why)));
        return Ok(());
    }
    unheard::resolve(session, ctx).await?;
    adopt::take_over(session, ctx).await?;
    // What lacked may be possible by now, and what was there may be gone.
    let memory = session.memory();
    if memory.lacks_fields() || (memory.has_fields() && memory.whole_at != whole_at) {
        let fields = match ctx.is_preview() {
            true => Arc::new(foresee(&session.api, memory.full_at).await?),
            false => session.audience.fields(&session.api).await?,
        };
        session.note_fields(ctx, &fields).await?;
    }
    Ok(())
}
