//! Every elementary stream of the test vectors is parsed, and what its headers say is what the index says.
//!
//! The vectors are found by `FOURIER_VECTORS`, else next to the project; without them nothing is tested, and said so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fourier_core::h264::slice_header::{SliceType, unsupported_feature};
use fourier_core::h264::sps::PicOrderCntType;
use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, annexb, sei};

/// One line of the index.
struct Vector {
    path: PathBuf,
    features: Vec<String>,
    size: String,
    note: String,
}

/// What the headers of a stream say, in the words of the index.
#[derive(Default)]
struct Findings {
    features: BTreeSet<String>,
    sizes: BTreeSet<String>,
    slices: usize,
    errors: Vec<String>,
    unsupported: BTreeSet<&'static str>,
}

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    std::env::var_os("FOURIER_VECTORS").map_or_else(beside, PathBuf::from)
}

/// The elementary streams of the index.
fn vectors() -> Vec<Vector> {
    let folder = folder();
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        println!("no test vectors at {}: set FOURIER_VECTORS", folder.display());
        return Vec::new();
    };
    let vector = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        Vector {
            path: folder.join(columns[0]).join(columns[1]),
            features: columns[4].split(' ').map(str::to_owned).collect(),
            size: columns[6].to_owned(),
            note: columns.get(10).copied().unwrap_or_default().to_owned(),
        }
    };
    let is_elementary = |vector: &Vector| {
        let extension = vector.path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("264" | "h264" | "avc" | "jsv"))
    };
    index.lines().skip(1).map(vector).filter(is_elementary).collect()
}

fn findings(stream: &[u8]) -> Findings {
    let mut findings = Findings::default();
    let mut sets = ParameterSets::default();
    for bytes in annexb::nal_units(stream) {
        match NalUnit::parse(bytes) {
            Ok(nal) => inspect(&nal, &mut sets, &mut findings),
            Err(error) => findings.errors.push(error.to_string()),
        }
    }
    findings
}

fn inspect(nal: &NalUnit<'_>, sets: &mut ParameterSets, findings: &mut Findings) {
    use NalUnitType::{DataPartitionA, IdrSlice, NonIdrSlice, Pps, Sei, Sps};
    let result = match nal.nal_unit_type {
        Sps => sets.receive_sps(nal).map(drop),
        Pps => sets.receive_pps(nal).map(drop),
        Sei => {
            sei::messages(nal, None).for_each(drop);
            Ok(())
        }
        IdrSlice | NonIdrSlice | DataPartitionA => inspect_slice(nal, sets, findings),
        _ => Ok(()),
    };
    if let Err(error) = result {
        findings.errors.push(error.to_string());
    }
}

fn inspect_slice(
    nal: &NalUnit<'_>,
    sets: &ParameterSets,
    findings: &mut Findings,
) -> Result<(), fourier_core::BitstreamError> {
    let (header, active) = sets.parse_slice_header(nal)?;
    findings.slices += 1;
    findings
        .unsupported
        .extend(unsupported_feature(nal.nal_unit_type, &active.pps, &header));
    let visible = active.sps.crop_rect().size;
    findings.sizes.insert(visible.to_string());
    let letter = match header.slice_type {
        SliceType::P => "P",
        SliceType::B => "B",
        SliceType::I => "I",
        SliceType::Sp => "SP",
        SliceType::Si => "SI",
    };
    let poc = match active.sps.pic_order_cnt_type {
        PicOrderCntType::Type0 { .. } => "poc0",
        PicOrderCntType::Type1 { .. } => "poc1",
        PicOrderCntType::Type2 => "poc2",
    };
    let entropy = if active.pps.entropy_coding_mode_flag {
        "CABAC"
    } else {
        "CAVLC"
    };
    findings.features.extend([letter, poc, entropy].map(str::to_owned));
    assert!(
        header.header_bit_size as usize <= nal.bytes.len() * 8,
        "the header ends within the NAL unit"
    );
    Ok(())
}

/// What the index says about the properties that [`Findings`] collects.
fn expected_features(vector: &Vector) -> BTreeSet<String> {
    let slices = vector
        .features
        .iter()
        .find_map(|feature| feature.strip_prefix("slices:"))
        .unwrap_or_default();
    let others = vector
        .features
        .iter()
        .filter(|feature| matches!(feature.as_str(), "poc0" | "poc1" | "poc2" | "CABAC" | "CAVLC"));
    slices.chars().map(String::from).chain(others.cloned()).collect()
}

/// Where the headers of a stream and the index differ.
fn complaints(vector: &Vector, findings: &Findings) -> Vec<String> {
    let mut complaints = findings.errors.clone();
    if findings.features != expected_features(vector) {
        complaints.push(format!("{:?} is not {:?}", findings.features, vector.features));
    }
    let is_fmo = vector.features.iter().any(|feature| feature == "FMO");
    if findings
        .unsupported
        .iter()
        .any(|feature| feature.contains("slice group"))
        != is_fmo
    {
        complaints.push(format!("unsupported: {:?}", findings.unsupported));
    }
    // Nobody decoded the streams with FMO, so the index has no size for them.
    if !is_fmo && !findings.sizes.contains(&vector.size) {
        complaints.push(format!("{:?} is not {}", findings.sizes, vector.size));
    }
    complaints
}

#[test]
fn headers_of_every_elementary_stream_say_what_the_index_says() {
    let mut all_complaints = Vec::new();
    let vectors = vectors();
    for vector in &vectors {
        let findings = findings(&std::fs::read(&vector.path).unwrap());
        let name = vector.path.display();
        if vector.note.starts_with("damaged or odd") {
            println!(
                "{name} ({}): {} slices, errors {:?}",
                vector.note, findings.slices, findings.errors
            );
            continue;
        }
        all_complaints.extend(
            complaints(vector, &findings)
                .iter()
                .map(|complaint| format!("{name}: {complaint}")),
        );
    }
    println!("{} elementary streams parsed", vectors.len());
    assert!(all_complaints.is_empty(), "{}", all_complaints.join("\n"));
}

#[test]
fn pieces_of_real_streams_give_the_nal_units_of_the_whole() {
    for (number, vector) in vectors().iter().enumerate() {
        let stream = std::fs::read(&vector.path).unwrap();
        let mut expected = annexb::nal_units(&stream);
        let mut splitter = annexb::Splitter::default();
        let mut compare = |nal: Result<&[u8], _>| assert_eq!(Some(nal.unwrap()), expected.next());
        for piece in stream.chunks(1 + number * 97) {
            splitter.push(piece, &mut compare);
        }
        splitter.finish(&mut compare);
        assert_eq!(expected.next(), None, "{}", vector.path.display());
    }
}
