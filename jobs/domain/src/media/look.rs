//! What something looks like, however it was encoded, scaled or trimmed.

use super::MediaType;

/// Bits of 64 in which hashes of the same picture may differ, on average. Re-encoding changes one or two, cut edges and captions
/// up to eleven; other pictures differ in 25 and more.
const NEAR: u32 = 12;
/// Bits of a part of a hash. Of two hashes that differ in three bits one of four parts is equal for certain; and of some
/// frames one is that near.
const PART: u32 = 16;

/// Perceptual hashes of some frames, spread over its length; one of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    frames: Vec<i64>,
}

impl Look {
    /// Frames of one at most; none where there is nothing to be told apart.
    #[must_use]
    pub fn new(frames: Vec<i64>) -> Option<Self> {
        (!frames.is_empty()).then_some(Self { frames })
    }

    #[must_use]
    pub fn frames(&self) -> &[i64] {
        &self.frames
    }

    /// What an index finds it by: the parts of its hashes, each once. What is near has some in common.
    #[must_use]
    pub fn parts(&self) -> Vec<i32> {
        let parts_of = |frame: &i64| {
            let bits = frame.cast_unsigned();
            (0..u64::BITS / PART)
                .map(move |place| ((place << PART) as i32) | ((bits >> (place * PART)) & 0xffff) as i32)
        };
        let mut parts: Vec<i32> = self.frames.iter().flat_map(parts_of).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    /// Whether both show the same, as far as one can see. Each frame is held against that of the other which is most like it,
    /// so that a trimmed end changes little.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        let far = |one: &[i64], other: &[i64]| -> u32 {
            let nearest = |frame: &i64| other.iter().map(|its| (frame ^ its).count_ones()).min().unwrap_or(u64::BITS);
            one.iter().map(nearest).sum()
        };
        let limit = |frames: &[i64]| NEAR * u32::try_from(frames.len()).unwrap_or(1);
        far(&self.frames, &other.frames) <= limit(&self.frames)
            && far(&other.frames, &self.frames) <= limit(&other.frames)
    }
}

/// What may look like something of this type.
#[must_use]
pub fn alike(kind: MediaType) -> Vec<String> {
    let kinds: &[MediaType] = match kind {
        MediaType::Gif | MediaType::Video => &[MediaType::Gif, MediaType::Video],
        MediaType::Image => &[MediaType::Image],
        MediaType::Audio => &[MediaType::Audio],
    };
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(frames: &[i64]) -> Look {
        Look::new(frames.to_vec()).unwrap()
    }

    #[test]
    fn is_near_when_few_bits_differ_and_frames_are_missing() {
        let whole = look(&[0x0f0f, 0x00ff_00ff, -1, 0x1234_5678_9abc_def0]);
        let noisy = look(&[0x0f0d, 0x00ff_01ff, -4, 0x1234_5678_9abc_deff]);
        assert!(whole.is_near(&whole) && whole.is_near(&noisy) && noisy.is_near(&whole));
        let other = look(&[0x7777_7777_7777_7777, 0x5555_5555_0000_ffff]);
        assert!(!whole.is_near(&other) && !other.is_near(&whole));
        assert_eq!(Look::new(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn what_differs_in_three_bits_has_a_part_in_common(frame: i64, bits in prop::array::uniform3(0u32..64)) {
            let changed = bits.iter().fold(frame, |frame, bit| frame ^ (1 << bit));
            let (one, other) = (look(&[frame]).parts(), look(&[changed]).parts());
            prop_assert!(one.iter().any(|part| other.contains(part)));
            prop_assert!(look(&[frame]).is_near(&look(&[changed])));
        }
    }
}
