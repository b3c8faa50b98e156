//! How a delivery begins: the audience, what is configured, who left earlier audiences, the
//! members, what became of additions that nobody heard of, and contacts that a person says are
//! ours.

use super::adopt;
use crate::integrations::mailchimp::mirror::earlier;
use crate::integrations::mailchimp::mirror::freshness::look;
use crate::integrations::mailchimp::mirror::memory::Memory;
use crate::integrations::mailchimp::mirror::merge_fields::foresee;
use crate::integrations::mailchimp::mirror::permissions;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::unheard;
use crate::plugin::{PluginContext, PluginError};
use std::sync::Arc;

/// Looks how the audience is set up and who is in it, however fresh the mirror is.
pub(crate) async fn refresh(desk: &Desk, ctx: &PluginContext) -> Result<(), PluginError> {
    let _alone = desk.read_alone().await;
    desk.forget_full();
    desk.audience.look(&desk.api, &desk.settings).await?;
    let before: Memory = match ctx.state().await? {
        Some(memory) => memory,
        None => ctx
            .state_of_before()
            .await?
            .map(Memory::after)
            .unwrap_or_default(),
    };
    let mut memory = before.clone();
    if memory.configure(&desk.settings, ctx.now()) {
        ctx.make_everybody_due().await?;
    }
    memory.known_permissions = permissions::check(desk, &memory).await?;
    let whole_at = memory.whole_at;
    desk.recall(before);
    desk.remember(ctx, |known| *known = memory).await?;
    earlier::look(desk, ctx).await?;
    look(desk, ctx, true).await?;
    unheard::look(desk, ctx).await?;
    adopt::take_over(desk, ctx).await?;
    // What lacked may be possible by now, and what was there may be gone.
    let memory = desk.memory();
    if memory.lacks_fields() || (memory.has_fields() && memory.whole_at != whole_at) {
        let fields = match ctx.is_preview() {
            true => Arc::new(foresee(&desk.api, memory.full_at).await?),
            false => desk.audience.fields(&desk.api).await?,
        };
        desk.note_fields(ctx, &fields).await?;
    }
    Ok(())
}
