//! Which kinds of file are taken, told apart by their first bytes and never by their name.

use serde::{Deserialize, Serialize};

use super::MediaType;

/// Bytes of a file's beginning that [`Container::sniff`] wants to see (fewer only if the file is shorter).
pub const HEAD: usize = 512;

/// A kind of file that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    Mp4,
    QuickTime,
    /// MPEG-4 with sound only.
    M4a,
    WebM,
    Png,
    Jpeg,
    WebP,
    Gif,
    Mp3,
    Ogg,
    Wav,
}

/// Why a file is refused before anybody has looked deeper than its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// The content type is none that we take.
    #[error("files of this content type are not taken")]
    FileType,
    /// The content type does not go with the type of meme.
    #[error("a file of this content type cannot be a meme of this type")]
    MediaType,
    /// The bytes are not what the content type, or the type of meme, says.
    #[error("the file's content is not what its content type or its type says")]
    Content,
}

impl Container {
    /// Judges an upload by what its sender said and by its first bytes, and says what meme it becomes. Both words are
    /// optional: a sender that does not know the content type (`application/octet-stream`, or none) is taken at the word
    /// of the bytes, one that names no type gets the one that the file lends itself to.
    ///
    /// # Errors
    /// The first of [`Unwelcome`]'s reasons that applies.
    pub fn of_upload(
        kind: Option<MediaType>,
        content_type: Option<&str>,
        head: &[u8],
    ) -> Result<(Self, MediaType), Unwelcome> {
        let said = content_type.map(str::to_ascii_lowercase).filter(|said| said != "application/octet-stream");
        let possible = match said.as_deref() {
            None => Self::ALL,
            Some(said) => Self::of_content_type(said).ok_or(Unwelcome::FileType)?,
        };
        if kind.is_some_and(|kind| !possible.iter().any(|container| container.can_be(kind))) {
            return Err(Unwelcome::MediaType);
        }
        let found = Self::sniff(head).filter(|found| possible.contains(found)).ok_or(Unwelcome::Content)?;
        // Some wrap sound as well as pictures; only the content type tells which is meant.
        let sound = said.is_some_and(|said| said.starts_with("audio/")).then_some(MediaType::Audio);
        let kind = kind.or(sound).or_else(|| MediaType::ALL.into_iter().find(|kind| found.can_be(*kind)));
        kind.filter(|kind| found.can_be(*kind)).map(|kind| (found, kind)).ok_or(Unwelcome::Content)
    }

    /// Recognises a file by its first bytes.
    #[must_use]
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Self::Wav),
            [b'O', b'g', b'g', b'S', 0, ..] => Some(Self::Ogg),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => is_webm(head).then_some(Self::WebM),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => by_brand(head),
            [b'I', b'D', b'3', 2..=4, ..] => Some(Self::Mp3),
            [0xff, sync, rate, ..] if is_layer_3(*sync, *rate) => Some(Self::Mp3),
            _ => None,
        }
    }

    /// Whether such a file can become a meme of this type.
    #[must_use]
    pub fn can_be(self, kind: MediaType) -> bool {
        match kind {
            MediaType::Image => matches!(self, Self::Png | Self::Jpeg | Self::WebP),
            MediaType::Gif => self == Self::Gif,
            MediaType::Video => matches!(self, Self::Mp4 | Self::QuickTime | Self::WebM),
            MediaType::Audio => matches!(self, Self::Mp3 | Self::Ogg | Self::Wav | Self::M4a | Self::Mp4 | Self::WebM),
        }
    }

    /// Its usual content type.
    #[must_use]
    pub const fn mime_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::M4a => "audio/mp4",
            Self::WebM => "video/webm",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
        }
    }

    const ALL: &[Self] = &[
        Self::Mp4,
        Self::QuickTime,
        Self::M4a,
        Self::WebM,
        Self::Png,
        Self::Jpeg,
        Self::WebP,
        Self::Gif,
        Self::Mp3,
        Self::Ogg,
        Self::Wav,
    ];

    /// What a content type, in lower case, may stand for.
    fn of_content_type(said: &str) -> Option<&'static [Self]> {
        Some(match said {
            // Browsers name a file by its extension, and cameras write QuickTime into `.mp4`.
            "video/mp4" | "video/x-m4v" | "video/quicktime" => &[Self::Mp4, Self::QuickTime],
            "video/webm" | "audio/webm" => &[Self::WebM],
            "image/png" => &[Self::Png],
            "image/jpeg" | "image/jpg" | "image/pjpeg" => &[Self::Jpeg],
            "image/webp" => &[Self::WebP],
            "image/gif" => &[Self::Gif],
            "audio/mpeg" | "audio/mp3" => &[Self::Mp3],
            "audio/ogg" | "audio/opus" | "application/ogg" => &[Self::Ogg],
            "audio/wav" | "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => &[Self::Wav],
            "audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/aac" => &[Self::M4a, Self::Mp4],
            _ => return None,
        })
    }
}

/// The document type in the first element of an EBML file: `webm`, and not Matroska at large.
fn is_webm(head: &[u8]) -> bool {
    // Element 0x4282, one byte of size (4, as a variable-length integer: 0x84), then the text.
    const DOC_TYPE: &[u8] = &[0x42, 0x82, 0x84, b'w', b'e', b'b', b'm'];
    head.get(..64).unwrap_or(head).windows(DOC_TYPE.len()).any(|window| window == DOC_TYPE)
}

/// What an ISO base media file says that it is. Pictures in this wrapping (HEIC, AVIF) are not taken.
fn by_brand(head: &[u8]) -> Option<Container> {
    let size = u32::from_be_bytes(head.get(..4)?.try_into().ok()?) as usize;
    let brands = head.get(8..size.min(head.len()))?;
    // Major brand, version, compatible brands.
    let mut words = brands.chunks_exact(4);
    let major = words.next()?;
    let compatible = words.skip(1);
    std::iter::once(major).chain(compatible).find_map(|brand| match brand {
        b"qt  " => Some(Container::QuickTime),
        b"M4A " | b"M4B " => Some(Container::M4a),
        b"isom" | b"iso2" | b"iso3" | b"iso4" | b"iso5" | b"iso6" | b"iso7" | b"iso8" | b"iso9" | b"avc1" | b"mp41"
        | b"mp42" | b"mp71" | b"M4V " | b"M4VH" | b"M4VP" | b"MSNV" | b"3gp4" | b"3gp5" | b"3gp6" | b"F4V " => {
            Some(Container::Mp4)
        }
        _ => None,
    })
}

/// The second and third byte of an MPEG audio frame: layer III, with a bit rate and a sample rate that exist.
fn is_layer_3(sync: u8, rate: u8) -> bool {
    let (version, layer) = ((sync >> 3) & 0b11, (sync >> 1) & 0b11);
    sync & 0xe0 == 0xe0 && version != 0b01 && layer == 0b01 && rate >> 4 != 0b1111 && (rate >> 2) & 0b11 != 0b11
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";

    #[test]
    fn recognises_files_by_their_first_bytes() {
        for (head, container) in [
            (PNG, Container::Png),
            (MP4, Container::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Container::QuickTime),
            (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", Container::M4a),
            (b"\0\0\0\x18ftypdash\0\0\0\0iso6mp41", Container::Mp4),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Container::Jpeg),
            (b"GIF89a\x01\0\x01\0", Container::Gif),
            (b"RIFF\0\0\0\0WEBPVP8 ", Container::WebP),
            (b"RIFF\0\0\0\0WAVEfmt ", Container::Wav),
            (b"OggS\0\x02", Container::Ogg),
            (b"ID3\x04\0\0\0\0\0\0", Container::Mp3),
            (b"\xff\xfb\x90\x64", Container::Mp3),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Container::WebM),
        ] {
            assert_eq!(Container::sniff(head), Some(container), "{head:?}");
        }
    }

    #[test]
    fn does_not_know_what_is_not_media() {
        for head in [
            b"".as_slice(),
            b"#EXTM3U\n#EXT-X-VERSION:3\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
            b"<!doctype html><script>",
            b"PK\x03\x04",
            b"%PDF-1.7",
            b"\x7fELF",
            b"<?xml version=\"1.0\"?><MPD>",
            // Matroska, not WebM.
            b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            b"\0\0\0\x08ftyp",
            b"\xff\xff\xff\xff",
        ] {
            assert_eq!(Container::sniff(head), None, "{head:?}");
        }
    }

    #[test]
    fn says_which_of_the_three_claims_was_wrong() {
        let judge = |kind, said, head| Container::of_upload(kind, said, head).map(|(found, _)| found);
        let (video, image) = (Some(MediaType::Video), Some(MediaType::Image));
        assert_eq!(judge(video, Some("video/mp4"), MP4), Ok(Container::Mp4));
        assert_eq!(judge(video, Some("VIDEO/MP4"), MP4), Ok(Container::Mp4));
        assert_eq!(judge(video, None, MP4), Ok(Container::Mp4));
        assert_eq!(judge(video, Some("application/octet-stream"), MP4), Ok(Container::Mp4));
        // A picture renamed to .mp4, whatever words come with it.
        assert_eq!(judge(video, Some("video/mp4"), PNG), Err(Unwelcome::Content));
        assert_eq!(judge(None, Some("video/mp4"), PNG), Err(Unwelcome::Content));
        assert_eq!(judge(video, None, PNG), Err(Unwelcome::Content));
        assert_eq!(judge(video, Some("video/mp4"), b""), Err(Unwelcome::Content));
        assert_eq!(judge(None, None, b"#EXTM3U"), Err(Unwelcome::Content));
        assert_eq!(judge(video, Some("image/png"), PNG), Err(Unwelcome::MediaType));
        assert_eq!(judge(video, Some("text/html"), MP4), Err(Unwelcome::FileType));
        assert_eq!(judge(None, Some("text/html"), MP4), Err(Unwelcome::FileType));
        assert_eq!(judge(image, Some("image/svg+xml"), b"<svg"), Err(Unwelcome::FileType));
    }

    #[test]
    fn finds_the_type_that_nobody_named() {
        const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm";
        for (said, head, kind) in [
            (None, PNG, MediaType::Image),
            (None, MP4, MediaType::Video),
            (Some("audio/mp4"), MP4, MediaType::Audio),
            (Some("application/octet-stream"), b"ID3\x04\0\0", MediaType::Audio),
            (Some("image/gif"), b"GIF89a\x01\0", MediaType::Gif),
            (Some("video/webm"), WEBM, MediaType::Video),
            (Some("audio/webm"), WEBM, MediaType::Audio),
        ] {
            assert_eq!(Container::of_upload(None, said, head).map(|(_, kind)| kind), Ok(kind), "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn never_takes_a_file_for_what_it_cannot_be(head in prop::collection::vec(any::<u8>(), 0..HEAD)) {
            for wish in MediaType::ALL.map(Some).into_iter().chain([None]) {
                if let Ok((container, kind)) = Container::of_upload(wish, None, &head) {
                    prop_assert!(container.can_be(kind));
                    prop_assert!(wish.is_none_or(|wish| wish == kind));
                    prop_assert_eq!(Container::sniff(&head), Some(container));
                }
            }
        }

        #[test]
        fn survives_any_brand_box(size: u32, rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let head = [&size.to_be_bytes()[..], b"ftyp", &rest].concat();
            let _ = Container::sniff(&head);
        }
    }
}
