"""The settings Splink is given for each set: its documented comparisons and the blocking of its own worked examples.

FEBRL and fake_1000 share blocking rules and comparisons with the model files beside this one. `historical` is the model of
Splink's example "deduplicate 50k synthetic", tuned further: see there.
"""

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on

MAX_PAIRS = {"historical": 1e8}


def febrl(link_type):
    return SettingsCreator(
        link_type=link_type,
        unique_id_column_name="rec_id",
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"),
            block_on("date_of_birth"),
            block_on("given_name", "surname"),
            block_on("surname", "postcode"),
            block_on("given_name", "postcode"),
            block_on("address_1", "street_number"),
            block_on("suburb", "surname"),
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison(
                "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        ],
    )


FEBRL_TRAINING = [("date_of_birth",), ("soc_sec_id",)]


def fake_1000():
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "city"),
            block_on("surname"),
            block_on("dob"),
            block_on("email"),
        ],
        comparisons=[
            cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("dob", [1, 2]),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("email", [0.95, 0.88]),
        ],
    )


def historical():
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_and_surname"
            ),
            cl.DateOfBirthComparison(
                "dob", input_is_string=True, datetime_metrics=["month", "year", "year"], datetime_thresholds=[1, 1, 10]
            ),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
    )


def historical_tuned():
    """The same, tuned with what is known of the data: more blocking where pairs are lost, the postcode and the place it lies in as one
    comparison, finer levels for mistyped names and dates. Every step that is kept raised best F1."""
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("surname"),
            block_on("dob"),
            block_on("postcode_fake"),
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("split_part(postcode_fake,' ',1)", "first_name"),
            block_on("split_part(postcode_fake,' ',1)", "substr(surname,1,2)"),
            block_on("split_part(postcode_fake,' ',1)", "substr(dob,1,4)"),
            block_on("birth_place", "substr(surname,1,2)"),
            block_on("birth_place", "first_name"),
            block_on("birth_place", "substr(dob,1,4)"),
            block_on("birth_place", "occupation"),
            block_on("first_name", "substr(dob,1,4)"),
            block_on("split_part(postcode_fake,' ',1)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name",
                "surname",
                jaro_winkler_thresholds=[0.92, 0.88, 0.75],
                forename_surname_concat_col_name="first_and_surname",
            ),
            cl.CustomComparison(
                output_column_name="dob",
                comparison_levels=[
                    cll.NullLevel("dob"),
                    cll.ExactMatchLevel("dob").configure(tf_adjustment_column="dob"),
                    cll.And(
                        cll.DamerauLevenshteinLevel("dob", 1),
                        cll.CustomLevel("substr(dob_l,6) = substr(dob_r,6) and substr(dob_l,6) <> '01-01'", "same day of the year"),
                    ),
                    cll.And(
                        cll.DamerauLevenshteinLevel("dob", 1),
                        cll.CustomLevel("substr(dob_l,1,4) = substr(dob_r,1,4)", "same year"),
                    ),
                    cll.DamerauLevenshteinLevel("dob", 1),
                    cll.DamerauLevenshteinLevel("dob", 2),
                    cll.CustomLevel("substr(dob_l,1,4) = substr(dob_r,1,4)", "same year"),
                    cll.ElseLevel(),
                ],
            ),
            cl.CustomComparison(
                output_column_name="place",
                comparison_levels=[
                    cll.And(cll.NullLevel("postcode_fake"), cll.NullLevel("birth_place")),
                    cll.ExactMatchLevel("postcode_fake").configure(tf_adjustment_column="postcode_fake"),
                    cll.DamerauLevenshteinLevel("postcode_fake", 1),
                    cll.CustomLevel(
                        "birth_place_l = birth_place_r and split_part(postcode_fake_l,' ',1) = split_part(postcode_fake_r,' ',1)",
                        "same place and district",
                    ),
                    cll.ExactMatchLevel("birth_place").configure(tf_adjustment_column="birth_place"),
                    cll.CustomLevel("split_part(postcode_fake_l,' ',1) = split_part(postcode_fake_r,' ',1)", "same district"),
                    cll.JaroWinklerLevel("birth_place", 0.9),
                    cll.ElseLevel(),
                ],
            ),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
            cl.ExactMatch("gender"),
        ],
    )


# set → files, truth as SQL over a record, settings, blocking rules EM is trained on
SETS = {
    "febrl1": (["febrl_dataset1.csv"], "split_part(rec_id, '-', 2)", lambda: febrl("dedupe_only"), FEBRL_TRAINING),
    "febrl2": (["febrl_dataset2.csv"], "split_part(rec_id, '-', 2)", lambda: febrl("dedupe_only"), FEBRL_TRAINING),
    "febrl4": (
        ["febrl_dataset4a.csv", "febrl_dataset4b.csv"],
        "split_part(rec_id, '-', 2)",
        lambda: febrl("link_only"),
        FEBRL_TRAINING,
    ),
    "fake_1000": (["fake_1000.csv"], "cluster", fake_1000, [("first_name", "surname"), ("dob",)]),
    "historical": (
        ["historical_half_a.csv"],
        "cluster",
        historical,
        [("first_name", "surname"), ("dob",), ("postcode_fake",)],
    ),
    "historical_tuned": (
        ["historical_half_a.csv"],
        "cluster",
        historical_tuned,
        [("first_name", "surname"), ("dob",), ("postcode_fake",)],
    ),
}
