//! The pool `media`: from uploaded bytes to a meme that is safe to show.
//!
//! One file a job: [`validate_upload`], [`probe_upload`], [`transcode_upload`], [`draw_previews`], [`complete_asset`], [`complete_assets`], [`give_up_upload`], [`give_back_files`],
//! [`give_back_shelved`], [`reject_submissions`], [`return_submissions`], [`purge_asset`], [`sweep_blobs`]; and what people ask of us about themselves, as that is about files, too: [`export_person`], [`erase_person`],
//! [`sweep_exports`]. The rules for files are in [`policy`] and [`container_rules`]; the walls around ffprobe and ffmpeg in
//! [`confine`]. Nothing else in the house runs ffmpeg.

mod complete_asset;
mod complete_assets;
mod confine;
mod container_rules;
#[cfg(test)]
mod corpus;
mod draw_previews;
mod encoder;
mod erase_person;
mod export_person;
mod ffprobe;
mod give_back_files;
mod give_back_shelved;
mod give_up_upload;
mod look;
mod loudness;
mod policy;
mod pool;
mod previews;
mod probe_upload;
mod program;
mod purge_asset;
mod reject_submissions;
mod return_submissions;
mod samples;
mod settings;
mod stop;
mod sweep_blobs;
mod sweep_exports;
mod transcode_upload;
mod validate_upload;

use std::{sync::Arc, time::Duration};

use blobs::Blobs;
use domain::{media::CompleteAssets, privacy::SweepExports, submissions::SweepBlobs};
use queue::Workers;

pub use program::find_program;
pub use samples::{Sample, sample};
pub use settings::Settings;
pub(crate) use stop::Stop;

/// How often crashes' leftovers are looked for.
const SWEEP: Duration = Duration::from_secs(3600);
/// How often some older assets are completed.
const COMPLETE: Duration = Duration::from_secs(60);

/// The pool's handlers, ready to run.
#[must_use]
pub fn workers(blobs: Blobs, settings: Settings) -> Workers {
    let concurrency = settings.concurrency;
    let pool = pool::Pool { blobs, settings: Arc::new(settings) };
    let (validate, probe, transcode, give_up) = (pool.clone(), pool.clone(), pool.clone(), pool.clone());
    let (give_back, export, erase) = (pool.clone(), pool.clone(), pool.clone());
    let (previews, complete) = (pool.clone(), pool.clone());
    let (exports, purge, sweep) = (pool.clone(), pool.clone(), pool);
    Workers::new("media", concurrency)
        .handle(move |ctx, job| validate_upload::handle(ctx, job, validate.clone()))
        .handle(move |ctx, job| probe_upload::handle(ctx, job, probe.clone()))
        .handle(move |ctx, job| transcode_upload::handle(ctx, job, transcode.clone()))
        .handle(move |ctx, job| draw_previews::handle(ctx, job, previews.clone()))
        .handle(move |ctx, job| complete_asset::handle(ctx, job, complete.clone()))
        .handle(complete_assets::handle)
        .handle(move |ctx, job| give_up_upload::handle(ctx, job, give_up.clone()))
        .handle(move |ctx, job| give_back_files::handle(ctx, job, give_back.clone()))
        .handle(move |ctx, job| purge_asset::handle(ctx, job, purge.clone()))
        .handle(reject_submissions::handle)
        .handle(return_submissions::handle)
        .handle(give_back_shelved::handle)
        .handle(move |ctx, job| export_person::handle(ctx, job, export.clone()))
        .handle(move |ctx, job| erase_person::handle(ctx, job, erase.clone()))
        .handle(move |ctx, job| sweep_exports::handle(ctx, job, exports.clone()))
        .handle(move |ctx, job| sweep_blobs::handle(ctx, job, sweep.clone()))
        .every::<CompleteAssets>(COMPLETE, || CompleteAssets {})
        .every::<SweepBlobs>(SWEEP, || SweepBlobs {})
        .every::<SweepExports>(SWEEP, || SweepExports {})
}
