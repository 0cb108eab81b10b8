//! What ffmpeg's libraries may do with a file, by what it was recognised as. Allow-lists only.

use std::ffi::OsString;

use domain::media::Container;

/// The source, as an open descriptor that the confined program cannot reach by any other name.
pub(crate) const SOURCE: &str = "file:/proc/self/fd/0";
/// Where the result goes.
pub(crate) const RESULT: &str = "file:/proc/self/fd/1";

/// Decoders, as ffmpeg names them.
const DECODERS: &str = "h264,hevc,mpeg4,libdav1d,av1,vp8,vp9,libvpx,libvpx-vp9,png,mjpeg,webp,gif,\
    aac,mp3float,mp3,opus,libopus,vorbis,libvorbis,flac,alac,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_s16be";

/// Codecs by the names that ffprobe reports.
const CODECS: &[&str] = &[
    "h264",
    "hevc",
    "mpeg4",
    "av1",
    "vp8",
    "vp9",
    "png",
    "mjpeg",
    "webp",
    "gif",
    "aac",
    "mp3",
    "opus",
    "vorbis",
    "flac",
    "alac",
    "pcm_u8",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_s16be",
];

/// Pixels of one picture: 50 million, a large photograph. Decoding needs some ten bytes for each.
pub(crate) const MOST_PIXELS: i64 = 50_000_000;
/// Pixels of one side.
pub(crate) const LONGEST_SIDE: i64 = 10_000;
/// Streams of any kind.
pub(crate) const MOST_STREAMS: u32 = 16;

/// The demuxers that may open it, by the name that ffprobe reports.
pub(crate) const fn demuxer(container: Container) -> &'static str {
    match container {
        Container::Mp4 | Container::QuickTime | Container::M4a => "mov,mp4,m4a,3gp,3g2,mj2",
        Container::WebM => "matroska,webm",
        Container::Png => "png_pipe",
        Container::Jpeg => "jpeg_pipe",
        Container::WebP => "webp_pipe",
        Container::Gif => "gif",
        Container::Mp3 => "mp3",
        Container::Ogg => "ogg",
        Container::Wav => "wav",
    }
}

pub(crate) fn is_allowed_codec(name: &str) -> bool {
    CODECS.contains(&name)
}

/// Options before the input, for ffprobe and ffmpeg alike.
pub(crate) fn input(container: Container) -> impl Iterator<Item = OsString> {
    [
        // Bytes of one allocation.
        "-max_alloc",
        "536870912",
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        demuxer(container),
        "-codec_whitelist",
        DECODERS,
        "-max_streams",
        "64",
        // Bytes and microseconds looked at before it makes up its mind.
        "-probesize",
        "10000000",
        "-analyzeduration",
        "10000000",
    ]
    .into_iter()
    .map(OsString::from)
}
