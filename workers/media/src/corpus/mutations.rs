//! Good files with a few bytes wrong, at random: each is refused, or becomes a rendition that keeps the rules.
//! `MUTATIONS` says how many (`make security` takes 20,000), `SEED` which; a failure names its number, which alone makes it again.

use domain::media::MediaType;

use super::{Bench, clip, hostile::verdict, sample};

/// As many as fit into a usual run.
const USUAL: u64 = 40;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a length")
    }
}

/// Numbers at which programs stumble.
const EDGES: [u32; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

fn mutated(bytes: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len());
        match chance.below(6) {
            // Bits, from a few to many.
            0 | 1 => {
                for _ in 0..=bytes.len() / (50 << chance.below(10)) {
                    let at = chance.below(bytes.len());
                    bytes[at] ^= 1 << chance.below(8);
                }
            }
            // A number in the headers.
            2 => {
                let at = at.min(chance.below(2048)).min(bytes.len().saturating_sub(4));
                let edge = EDGES[chance.below(EDGES.len())].to_be_bytes();
                for (to, from) in bytes[at..].iter_mut().zip(edge) {
                    *to = from;
                }
            }
            3 => bytes.truncate(at.max(16)),
            // A part twice, or of another file.
            4 => {
                let end = (at + chance.below(4096)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let end = (at + chance.below(1024)).min(bytes.len());
                let from = chance.below(other.len());
                let part = other[from..(from + 1024).min(other.len())].to_vec();
                bytes.splice(at..end, part);
            }
        }
    }
    bytes
}

#[expect(clippy::disallowed_methods, reason = "no setting of the system: how much is tried is the tester's wish")]
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[tokio::test]
async fn good_files_with_some_bytes_wrong_are_refused_or_keep_the_rules() {
    let (count, seed) = (wish("MUTATIONS").unwrap_or(USUAL), wish("SEED").unwrap_or(1));
    let bench = Bench::new();
    let mut originals = Vec::new();
    for kind in MediaType::ALL {
        let sample = sample(&bench.settings, kind).await.unwrap();
        originals.push((kind, sample.content_type, sample.bytes));
    }
    let source = "testsrc2=size=320x240:rate=10:duration=1";
    let front = bench.draw(&clip(source, &["-movflags", "+faststart", "-f", "mp4"])).await;
    originals.push((MediaType::Video, "video/mp4", front));
    let webm = ["-f", "lavfi", "-i", source, "-c:v", "libvpx", "-f", "webm"];
    originals.push((MediaType::Video, "video/webm", bench.draw(&webm).await));

    let mut taken = 0;
    for number in 0..count {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let (kind, said, bytes) = &originals[chance.below(originals.len())];
        let other = &originals[chance.below(originals.len())].2;
        let bytes = mutated(bytes, other, &mut chance);
        let outcome = bench.take(&bytes, *kind, said).await;
        let right = verdict(&outcome, &bench.settings);
        right.unwrap_or_else(|wrong| panic!("SEED={seed}, number {number} ({said}): {wrong}"));
        if let Ok(encoded) = outcome {
            taken += 1;
            // What is made of it is read back, so that nothing stays behind.
            assert!(!bench.read(encoded).await.is_empty(), "SEED={seed}, number {number}: an empty rendition");
        }
    }
    eprintln!("{taken} of {count} were taken");
    assert_eq!(bench.leftovers(), 0);
}
