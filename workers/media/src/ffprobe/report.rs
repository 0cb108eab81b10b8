//! ffprobe's answer (`-of json`), as far as we ask for it.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// All of it. Empty when ffprobe made no sense of the file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Report {
    pub format: Option<Format>,
    #[serde(default)]
    pub streams: Vec<Stream>,
    /// There, whatever it says: the file could not be opened or read.
    pub error: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Format {
    /// Names of the demuxer, with commas between: `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format_name: String,
    /// Seconds; none when the container does not say.
    #[serde(default, deserialize_with = "seconds")]
    pub duration: Option<f64>,
    #[serde(default)]
    pub nb_streams: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Stream {
    /// `video`, `audio`, `subtitle`, `data`, `attachment`.
    #[serde(default)]
    pub codec_type: String,
    /// None when ffprobe does not know the codec.
    pub codec_name: Option<String>,
    /// Pixels, before rotation.
    #[serde(default)]
    pub width: i64,
    #[serde(default)]
    pub height: i64,
    /// Seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub duration: Option<f64>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub disposition: Disposition,
    #[serde(default)]
    pub side_data_list: Vec<SideData>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Disposition {
    /// 1: a cover picture, not a moving one.
    #[serde(default)]
    pub attached_pic: u8,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Tags {
    /// `1`: a second picture in each packet says what can be seen through. Ours is written in capitals.
    #[serde(alias = "ALPHA_MODE")]
    pub alpha_mode: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SideData {
    /// Degrees, counter-clockwise.
    pub rotation: Option<f64>,
}

impl Stream {
    /// A moving (or still) picture that is not just a cover.
    pub(crate) fn is_video(&self) -> bool {
        self.codec_type == "video" && self.disposition.attached_pic == 0
    }

    pub(crate) fn is_audio(&self) -> bool {
        self.codec_type == "audio"
    }

    /// Pixels as they are shown: a quarter turn swaps the sides.
    pub(crate) fn shown_size(&self) -> (i64, i64) {
        let degrees = self.side_data_list.iter().find_map(|side| side.rotation).unwrap_or(0.0);
        let turned = (degrees.abs() % 180.0 - 90.0).abs() < 45.0;
        if turned { (self.height, self.width) } else { (self.width, self.height) }
    }
}

/// ffprobe writes decimals as text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse::<f64>().ok()).filter(|seconds| seconds.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ffprobe_says_of_a_video() {
        let report: Report = serde_json::from_str(
            r#"{"programs": [], "streams": [
                {"codec_name": "h264", "codec_type": "video", "width": 320, "height": 240, "duration": "2.000000",
                 "disposition": {"attached_pic": 0}, "side_data_list": [{"rotation": -90}]},
                {"codec_type": "data"}],
               "format": {"nb_streams": 2, "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": "2.000000"}}"#,
        )
        .unwrap();
        assert_eq!(report.streams[0].shown_size(), (240, 320));
        assert!(report.streams[0].is_video() && !report.streams[1].is_audio());
        let format = report.format.unwrap();
        assert_eq!((format.nb_streams, format.duration), (2, Some(2.0)));
    }

    #[test]
    fn turns_only_by_quarters() {
        for (degrees, turned) in
            [(0.0, false), (90.0, true), (-90.0, true), (180.0, false), (270.0, true), (10.0, false)]
        {
            let json = format!(r#"{{"width": 3, "height": 2, "side_data_list": [{{"rotation": {degrees}}}]}}"#);
            let stream: Stream = serde_json::from_str(&json).unwrap();
            assert_eq!(stream.shown_size() == (2, 3), turned, "{degrees}");
        }
    }

    #[test]
    fn is_empty_when_there_is_nothing_to_read() {
        assert!(serde_json::from_slice::<Report>(b"").unwrap_or_default().format.is_none());
        let report: Report = serde_json::from_str(r#"{"error": {"code": -2, "string": "No such file"}}"#).unwrap();
        assert!(report.error.is_some());
        let report: Report = serde_json::from_str(r#"{"format": {"format_name": "gif", "duration": "N/A"}}"#).unwrap();
        assert_eq!(report.format.unwrap().duration, None);
    }
}
