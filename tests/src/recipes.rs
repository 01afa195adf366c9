//! The streams that the suite makes itself: each coding tool on and off.

use fourier_core::units::Size;

use crate::encode::Recipe;

const QCIF: Size = Size {
    width: 176,
    height: 144,
};

const fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

const fn recipe(name: &'static str, size: Size, frames: u32, options: &'static str) -> Recipe {
    Recipe {
        name,
        size,
        frames,
        options,
    }
}

/// To be decoded to the last bit.
pub const RECIPES: &[Recipe] = &[
    // Entropy coding, profiles, transforms.
    recipe("baseline", QCIF, 20, "--profile baseline --crf 26"),
    recipe("cavlc-intra", QCIF, 6, "--profile main --no-cabac --keyint 1 --crf 24"),
    recipe("cabac-intra", QCIF, 6, "--profile main --keyint 1 --crf 24"),
    recipe(
        "cavlc-main-b",
        QCIF,
        20,
        "--profile main --no-cabac --bframes 3 --b-adapt 0 --crf 26",
    ),
    recipe(
        "cabac-main-b",
        QCIF,
        20,
        "--profile main --bframes 3 --b-adapt 0 --crf 26",
    ),
    recipe(
        "cavlc-8x8dct",
        QCIF,
        16,
        "--profile high --no-cabac --partitions all --subme 8 --crf 24",
    ),
    recipe(
        "cabac-8x8dct",
        QCIF,
        16,
        "--profile high --partitions all --subme 8 --crf 24",
    ),
    recipe(
        "cabac-no-8x8dct",
        QCIF,
        16,
        "--profile high --no-8x8dct --partitions all --crf 24",
    ),
    recipe(
        "only-16x16",
        QCIF,
        12,
        "--profile high --partitions none --me dia --subme 0 --crf 28",
    ),
    recipe(
        "monochrome-cabac",
        QCIF,
        12,
        "--profile high --output-csp i400 --bframes 2 --crf 26",
    ),
    recipe(
        "monochrome-cavlc",
        QCIF,
        12,
        "--profile high --output-csp i400 --no-cabac --crf 26",
    ),
    // Quantisation.
    recipe("qp-1-cabac", QCIF, 4, "--profile high --qp 1"),
    recipe(
        "qp-1-cavlc",
        QCIF,
        4,
        "--profile main --no-cabac --qp 1 --qpmin 0 --ipratio 1",
    ),
    recipe("qp-51", QCIF, 12, "--profile main --bframes 2 --qp 51"),
    recipe(
        "chroma-qp-offset",
        QCIF,
        12,
        "--profile high --chroma-qp-offset -12 --crf 24",
    ),
    recipe(
        "adaptive-quantisation",
        QCIF,
        16,
        "--profile high --aq-mode 3 --aq-strength 3 --crf 28",
    ),
    recipe(
        "cqm-jvt-cabac",
        QCIF,
        16,
        "--profile high --cqm jvt --bframes 2 --crf 24",
    ),
    recipe(
        "cqm-jvt-cavlc",
        QCIF,
        16,
        "--profile high --cqm jvt --no-cabac --crf 24",
    ),
    recipe(
        "cqm-4x4-and-8x8",
        QCIF,
        12,
        concat!(
            "--profile high --crf 24 --cqm4 6,12,19,26,12,19,26,31,19,26,31,35,26,31,35,39 ",
            "--cqm8p 9,13,15,17,19,20,21,22,13,13,17,19,20,21,22,24,15,17,19,20,21,22,24,25,17,19,20,21,22,24,25,27,",
            "19,20,21,22,24,25,27,28,20,21,22,24,25,27,28,30,21,22,24,25,27,28,30,32,22,24,25,27,28,30,32,33"
        ),
    ),
    // Prediction.
    recipe(
        "direct-spatial",
        QCIF,
        20,
        "--profile main --bframes 4 --b-adapt 0 --direct spatial --crf 27",
    ),
    recipe(
        "direct-temporal",
        QCIF,
        20,
        "--profile main --bframes 4 --b-adapt 0 --direct temporal --crf 27",
    ),
    recipe(
        "direct-temporal-cavlc",
        QCIF,
        20,
        "--profile main --no-cabac --bframes 3 --b-adapt 0 --direct temporal --crf 27",
    ),
    recipe(
        "direct-auto-8x8dct",
        QCIF,
        24,
        "--profile high --bframes 3 --b-adapt 0 --direct auto --ref 4 --crf 26",
    ),
    recipe(
        "direct-none",
        QCIF,
        16,
        "--profile main --bframes 3 --b-adapt 0 --direct none --crf 27",
    ),
    recipe(
        "b-pyramid-strict",
        QCIF,
        24,
        "--profile main --bframes 7 --b-adapt 0 --b-pyramid strict --crf 27",
    ),
    recipe(
        "b-pyramid-normal-ref16",
        QCIF,
        32,
        "--profile high --bframes 8 --b-adapt 0 --b-pyramid normal --ref 16 --crf 27",
    ),
    recipe(
        "no-b-pyramid",
        QCIF,
        20,
        "--profile main --bframes 3 --b-adapt 0 --b-pyramid none --crf 27",
    ),
    recipe(
        "weightp-1",
        QCIF,
        24,
        "--profile main --weightp 1 --bframes 0 --ref 3 --crf 27",
    ),
    recipe(
        "weightp-2",
        QCIF,
        24,
        "--profile high --weightp 2 --bframes 2 --ref 5 --crf 27",
    ),
    recipe(
        "weightb",
        QCIF,
        24,
        "--profile main --weightb --weightp 0 --bframes 5 --b-adapt 0 --crf 27",
    ),
    recipe(
        "no-weights",
        QCIF,
        20,
        "--profile main --no-weightb --weightp 0 --bframes 3 --b-adapt 0 --crf 27",
    ),
    recipe(
        "mixed-refs",
        QCIF,
        24,
        "--profile high --ref 8 --mixed-refs --partitions all --subme 8 --me umh --crf 27",
    ),
    recipe("one-ref", QCIF, 16, "--profile high --ref 1 --bframes 1 --crf 27"),
    recipe(
        "constrained-intra",
        QCIF,
        20,
        "--profile main --constrained-intra --bframes 2 --crf 28",
    ),
    recipe(
        "constrained-intra-cavlc",
        QCIF,
        20,
        "--profile main --no-cabac --constrained-intra --crf 28",
    ),
    // Deblocking.
    recipe("no-deblock", QCIF, 16, "--profile main --no-deblock --crf 30"),
    recipe(
        "deblock-plus-6",
        QCIF,
        16,
        "--profile high --deblock 6:6 --bframes 2 --crf 32",
    ),
    recipe(
        "deblock-minus-6",
        QCIF,
        16,
        "--profile high --deblock -6:-6 --bframes 2 --crf 32",
    ),
    // Slices.
    recipe("slices-4", QCIF, 16, "--profile high --slices 4 --bframes 2 --crf 27"),
    recipe(
        "slices-9-cavlc",
        QCIF,
        16,
        "--profile main --no-cabac --slices 9 --crf 27",
    ),
    recipe(
        "slices-of-7-macroblocks",
        QCIF,
        12,
        "--profile main --slice-max-mbs 7 --bframes 1 --crf 27",
    ),
    recipe(
        "slices-of-300-bytes",
        QCIF,
        12,
        "--profile high --slice-max-size 300 --crf 27",
    ),
    // Groups of pictures, parameter sets and what lies between pictures.
    recipe(
        "open-gop",
        QCIF,
        40,
        "--profile main --open-gop --keyint 10 --min-keyint 1 --bframes 3 --b-adapt 0 --crf 30",
    ),
    recipe(
        "intra-refresh",
        QCIF,
        40,
        "--profile main --intra-refresh --keyint 10 --bframes 0 --crf 30",
    ),
    recipe(
        "short-gops",
        QCIF,
        24,
        "--profile high --keyint 5 --min-keyint 5 --bframes 2 --crf 30",
    ),
    recipe(
        "scene-cuts",
        QCIF,
        24,
        "--profile high --keyint 250 --scenecut 100 --bframes 2 --crf 30",
    ),
    recipe("sps-id-5", QCIF, 8, "--profile main --sps-id 5 --crf 30"),
    recipe(
        "aud-and-hrd",
        QCIF,
        20,
        "--profile high --aud --nal-hrd vbr --bitrate 200 --vbv-maxrate 250 --vbv-bufsize 250 --pic-struct",
    ),
    recipe(
        "filler",
        QCIF,
        16,
        "--profile main --nal-hrd cbr --bitrate 600 --vbv-maxrate 600 --vbv-bufsize 300 --filler",
    ),
    recipe(
        "vui",
        QCIF,
        6,
        "--profile high --sar 12:11 --range pc --colorprim bt709 --transfer bt709 --colormatrix bt709 --crf 30",
    ),
    // Sizes.
    recipe("16x16", size(16, 16), 12, "--profile high --bframes 2 --crf 20"),
    recipe("18x18", size(18, 18), 12, "--profile high --bframes 2 --crf 20"),
    recipe("2x2", size(2, 2), 6, "--profile baseline --crf 10"),
    recipe("16x512", size(16, 512), 6, "--profile high --bframes 1 --crf 26"),
    recipe("4096x32", size(4096, 32), 4, "--profile high --bframes 1 --crf 30"),
    recipe("322x242", size(322, 242), 10, "--profile main --bframes 2 --crf 27"),
    recipe(
        "crop-left-and-top",
        size(192, 160),
        10,
        "--profile main --crop-rect 6,10,14,22 --crf 27",
    ),
    recipe(
        "1280x720",
        size(1280, 720),
        5,
        "--profile high --bframes 2 --b-adapt 0 --crf 28",
    ),
    // 10 bits, 4:2:2, both, and fields of them.
    recipe(
        "high10-cabac",
        QCIF,
        16,
        "--output-depth 10 --bframes 2 --weightp 2 --partitions all --crf 22",
    ),
    recipe(
        "high10-qp-low",
        QCIF,
        4,
        "--output-depth 10 --no-cabac --qp 1 --chroma-qp-offset -12",
    ),
    recipe(
        "high10-mbaff",
        QCIF,
        12,
        "--output-depth 10 --tff --bframes 2 --partitions all --crf 24",
    ),
    recipe(
        "high10-intra-monochrome",
        QCIF,
        4,
        "--output-depth 10 --output-csp i400 --keyint 1 --crf 24",
    ),
    recipe(
        "high422-cabac",
        QCIF,
        16,
        "--output-csp i422 --bframes 2 --weightp 2 --partitions all --subme 8 --crf 22",
    ),
    recipe(
        "high422-cavlc-no-8x8dct",
        QCIF,
        12,
        "--output-csp i422 --no-cabac --no-8x8dct --partitions all --crf 22",
    ),
    recipe(
        "high422-qp-low",
        QCIF,
        4,
        "--output-csp i422 --qp 1 --chroma-qp-offset -12",
    ),
    recipe(
        "high422-mbaff-cavlc",
        QCIF,
        12,
        "--output-csp i422 --no-cabac --tff --bframes 2 --partitions all --crf 24",
    ),
    recipe(
        "high422-10-mbaff",
        QCIF,
        12,
        "--output-depth 10 --output-csp i422 --bff --bframes 2 --weightp 2 --partitions all --crf 24",
    ),
    recipe(
        "high422-10-intra-slices",
        QCIF,
        4,
        "--output-depth 10 --output-csp i422 --keyint 1 --slices 3 --crf 18",
    ),
];

/// Longer, for what losses in them do: decoded whole these are nothing new.
pub const LOSSES: &[Recipe] = &[
    recipe(
        "loss-slices-4-b-pyramid",
        QCIF,
        60,
        "--profile high --slices 4 --bframes 3 --b-adapt 0 --b-pyramid normal --ref 4 --keyint 25 --crf 28",
    ),
    recipe(
        "loss-open-gop-pyramid",
        QCIF,
        70,
        "--profile high --open-gop --keyint 16 --min-keyint 1 --bframes 5 --b-adapt 0 --b-pyramid normal --ref 4 --crf 29",
    ),
    recipe(
        "loss-intra-refresh-slices",
        QCIF,
        70,
        "--profile main --intra-refresh --keyint 16 --slices 3 --bframes 0 --ref 2 --crf 30",
    ),
    recipe(
        "loss-intra-refresh-b",
        QCIF,
        70,
        "--profile high --intra-refresh --keyint 14 --bframes 2 --b-adapt 0 --crf 30",
    ),
    recipe(
        "loss-one-ref",
        QCIF,
        40,
        "--profile baseline --ref 1 --keyint 12 --min-keyint 12 --crf 28",
    ),
    recipe(
        "loss-one-long-gop",
        QCIF,
        60,
        "--profile high --ref 3 --bframes 2 --keyint infinite --crf 28",
    ),
];
