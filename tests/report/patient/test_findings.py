import pytest

from islesnet.report.patient import LesionMeasures, PatientFindings


def lesion(number=1, volume_ml=1.5, side="left", **known):
    return LesionMeasures(number, volume_ml, 21.4, side, 3, 7, 5, **known)


@pytest.mark.parametrize(
    ("lesions", "sentence"),
    [
        ([], "No lesion was found."),
        ([lesion()], "One lesion on the left, with 1.50 ml and a longest axial diameter of 21 mm."),
        (
            [lesion(volume_ml=20.0), lesion(2)],
            "2 lesions on the left, 21.5 ml in all; the largest has 20.0 ml and a longest axial diameter of 21 mm.",
        ),
        (
            [lesion(volume_ml=2.0, side="right"), lesion(2), lesion(3), lesion(4, side="midline")],
            "4 lesions (2 on the left, 1 on the right, 1 on the midline), 6.50 ml in all; the largest, on the "
            "right, has 2.00 ml and a longest axial diameter of 21 mm.",
        ),
    ],
)
def test_result_is_said_in_one_sentence(lesions, sentence):
    assert PatientFindings("1", lesions).sentence() == sentence


@pytest.mark.parametrize(
    ("volumes_ml", "told"),
    [
        ((5.0, 4.0, 0.4, 0.3, 0.3), ". The 2 largest have 90 % of the volume; look at the other 3 with more doubt."),
        ((9.0, 0.4, 0.3, 0.3), ". The largest has 90 % of the volume; look at the other 3 with more doubt."),
        ((9.0, 0.5, 0.5), " of 21 mm."),
        ((1.0, 1.0, 1.0, 1.0, 1.0, 1.0), " of 21 mm."),
    ],
)
def test_few_of_many_lesions_that_have_most_of_the_volume_are_told(volumes_ml, told):
    lesions = [lesion(number, volume) for number, volume in enumerate(volumes_ml, 1)]
    assert PatientFindings("1", lesions).sentence().endswith(told)


# Volumes in ml, the largest first, and the confidences of isles22-0009 with DWI + FLAIR.
ISLES22_0009 = (
    [1.376, 1.024, 0.4, 0.184, 0.176, 0.152, 0.104, 0.072, 0.056, 0.056, 0.04, 0.032, 0.032, 0.024, 0.016, 0.016],
    [0.467, 0.512, 0.523, 0.165, 0.164, 0.42, 0.32, 0.17, 0.174, 0.142, 0.138, 0.162, 0.14, 0.135, 0.146, 0.148],
)


@pytest.mark.parametrize(
    ("volumes_ml", "confidences", "told"),
    [
        (
            *ISLES22_0009,
            ". The 5 largest have 84 % of the volume. Confidence is highest in lesions 1 to 3, 6 and 7 (0.32 to 0.52); "
            "look at the other 11 (up to 0.17) with more doubt.",
        ),
        (
            [77.4, 0.42, 0.2, 0.09, 0.03],
            [0.67, 0.27, 0.17, 0.14, 0.13],
            ". The largest has 99 % of the volume and the highest confidence (0.67); look at the other 4 (up to 0.27) "
            "with more doubt.",
        ),
        (
            [5.0, 4.0, 0.4, 0.3, 0.3],
            [0.11, 0.12, 0.11, 0.11, 0.11],
            ". The 2 largest have 90 % of the volume and the highest confidence (0.11 to 0.12); look at the other 3 "
            "(up to 0.11) with more doubt.",
        ),
        (
            [9.0, 0.4, 0.3, 0.3],
            [0.6, 0.2, 0.7, 0.3],
            ". The largest has 90 % of the volume. Confidence is highest in lesions 1 and 3 (0.60 to 0.70); look at "
            "the other 2 (up to 0.30) with more doubt.",
        ),
        (
            [9.0, 0.4, 0.3, 0.3],
            [0.2, 0.5, 0.3, 0.1],
            ". The largest has 90 % of the volume, but 2 smaller ones have a higher confidence (up to 0.50) than the "
            "largest (0.20); look at all of them with doubt.",
        ),
        (
            [9.0, 0.4, 0.3, 0.3],
            [0.6, None, 0.7, 0.3],
            ". The largest has 90 % of the volume; look at the other 3 with more doubt.",
        ),
        ([9.0, 0.5, 0.5], [0.2, 0.6, 0.5], " of 21 mm."),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1], " of 21 mm."),
        ([1.5], [0.11], "One lesion on the left, with 1.50 ml and a longest axial diameter of 21 mm."),
    ],
)
def test_confidence_leads_to_the_lesions_to_doubt_where_it_is_known(volumes_ml, confidences, told):
    pairs = enumerate(zip(volumes_ml, confidences, strict=True), 1)
    lesions = [lesion(number, volume, confidence=confidence) for number, (volume, confidence) in pairs]
    assert PatientFindings("1", lesions).sentence().endswith(told)


def test_content_holds_everything_unrounded():
    found = PatientFindings(
        "1", [lesion(volume_ml=1 / 3, intensity_ratios={"dwi": None})], False, ["Cut."], ["Motion."]
    )
    content = found.content()
    assert content["total_volume_ml"] == content["lesions"][0]["volume_ml"] == 1 / 3
    assert (content["lesion_count"], content["is_trusted"], content["reasons"]) == (1, False, ["Cut."])
    assert content["lesions"][0]["dwi_ratio"] is None
    assert content["quality_notes"] == ["Motion."]
    assert content["measured"] == ""


def test_table_of_a_patient_without_lesions_has_its_columns():
    frame = PatientFindings("1", []).frame()
    assert frame.empty
    assert list(frame.columns)[:3] == ["patient", "lesion", "volume_ml"]
    assert list(frame.columns) == list(PatientFindings("1", [lesion()]).frame().columns)
