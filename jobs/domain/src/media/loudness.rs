//! How loud something is, and what makes it as loud as everything else.

/// A gain never raises a peak above this: decoders and resamplers need the rest. In dBTP.
const HIGHEST_PEAK: f64 = -1.0;
/// Decibels: what needs more is a whisper, and its noise would be what is heard.
const MOST_GAIN: f64 = 20.0;
/// Loudness below which EBU R128 hears nothing. In LUFS.
const SILENCE: f64 = -70.0;

/// As measured by EBU R128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Integrated, in LUFS.
    pub lufs: f64,
    /// In dBTP.
    pub true_peak: f64,
    /// Decibels, to a tenth.
    pub gain_db: f64,
}

impl Loudness {
    /// What was measured, and the gain that brings it to `target` (LUFS); none for silence.
    #[must_use]
    pub fn new(lufs: f64, true_peak: f64, target: f64) -> Option<Self> {
        if !lufs.is_finite() || !true_peak.is_finite() || lufs <= SILENCE {
            return None;
        }
        let wanted = target - lufs;
        let gain = wanted.min(HIGHEST_PEAK - true_peak).min(MOST_GAIN);
        // Down, so that rounding raises no peak; and no `-0`.
        let gain_db = (gain * 10.0 + 1e-6).floor() / 10.0 + 0.0;
        Some(Self { lufs, true_peak, gain_db })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gain(lufs: f64, true_peak: f64) -> Option<f64> {
        Loudness::new(lufs, true_peak, -16.0).map(|loudness| loudness.gain_db)
    }

    #[test]
    fn brings_everything_to_the_target_that_has_room_for_it() {
        assert_eq!(gain(-16.0, -3.0), Some(0.0));
        assert_eq!(gain(-9.5, 0.3), Some(-6.5));
        assert_eq!(gain(-21.5, -18.4), Some(5.5));
        // Quiet, with one loud bang: as far as the bang allows.
        assert_eq!(gain(-30.0, -4.0), Some(3.0));
        // At the target, and clipped already.
        assert_eq!(gain(-16.0, 0.5), Some(-1.5));
        assert_eq!(gain(-55.0, -45.0), Some(20.0));
    }

    #[test]
    fn leaves_silence_alone() {
        assert_eq!(gain(-70.0, f64::NEG_INFINITY), None);
        assert_eq!(gain(-70.0, -60.0), None);
        assert_eq!(gain(f64::NEG_INFINITY, -60.0), None);
        assert_eq!(gain(f64::NAN, 0.0), None);
    }

    proptest! {
        #[test]
        fn no_gain_makes_a_peak_too_high(lufs in -69.0f64..5.0, peak in -70.0f64..6.0, target in -40.0f64..-5.0) {
            let found = Loudness::new(lufs, peak, target).unwrap();
            prop_assert!(peak + found.gain_db <= HIGHEST_PEAK + 0.01, "{found:?}");
            prop_assert!(lufs + found.gain_db <= target + 0.01, "{found:?}");
        }
    }
}
