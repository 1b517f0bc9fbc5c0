use civic::{Address, AddressError};

/// Written form, normal form.
const CASES: &[(&str, &str)] = &[
    (
        "臺中市西屯區何安里5鄰臺灣大道三段99號2樓",
        "臺中市西屯區何安里5鄰臺灣大道三段99號2樓",
    ),
    (
        "台中市西屯區台灣大道3段９９號二樓之1",
        "臺中市西屯區臺灣大道三段99號2樓之1",
    ),
    ("407臺中市西屯區文心路二段12之3號", "臺中市西屯區文心路二段12之3號"),
    (
        "臺北市大安區龍門里和平東路一段162巷5弄7號B1",
        "臺北市大安區龍門里和平東路一段162巷5弄7號B1",
    ),
    ("桃園市平鎮區環南路三段88號", "桃園市平鎮區環南路三段88號"),
    ("臺南市新市區中正路1號", "臺南市新市區中正路1號"),
    ("高雄市前鎮區一心一路2號十一樓", "高雄市前鎮區一心一路2號11樓"),
    ("南投縣中寮鄉永平村3鄰永平路250號", "南投縣中寮鄉永平村3鄰永平路250號"),
    (
        "臺中市北區三民路三段十二巷三弄5號之2",
        "臺中市北區三民路三段12巷3弄5之2號",
    ),
    ("臺中市中區柳川里民權路8號地下1樓", "臺中市中區柳川里民權路8號地下1樓"),
    ("臺中市大里區大里路1號", "臺中市大里區大里路1號"),
    ("台中市大里區大里里大里路1號", "臺中市大里區大里里大里路1號"),
    ("臺中市后里區后里路2號", "臺中市后里區后里路2號"),
    ("南投縣埔里鎮埔里街3號", "南投縣埔里鎮埔里街3號"),
    ("新竹縣竹北市市場街4號", "新竹縣竹北市市場街4號"),
    ("新竹縣竹北市竹北里市場街4號", "新竹縣竹北市竹北里市場街4號"),
];

#[test]
fn writings_meet_in_one_normal_form() {
    for (written, normal) in CASES {
        let address = Address::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(address.to_string(), *normal, "{written}: {}", address.number);
        assert_eq!(
            Address::parse(normal).unwrap(),
            address,
            "the normal form of {written} reads back"
        );
    }
}

#[test]
fn parts() {
    let address = Address::parse("臺中市西屯區何安里5鄰臺灣大道三段99巷1弄3之1號12樓之2").unwrap();
    assert_eq!(
        (
            address.city.as_str(),
            address.district.as_str(),
            address.village.as_str()
        ),
        ("臺中市", "西屯區", "何安里")
    );
    assert_eq!(
        (address.neighbourhood, address.road.as_str()),
        (Some(5), "臺灣大道三段")
    );
    assert_eq!(
        (address.lane.as_str(), address.alley.as_str(), address.number.as_str()),
        ("99", "1", "3之1")
    );
    assert_eq!((address.floor, address.unit.as_str()), (Some(12), "之2"));
}

#[test]
fn a_name_within_the_name_of_a_road_is_no_village() {
    for (text, district, village, road) in [
        ("臺中市大里區大里路1號", "大里區", "", "大里路"),
        ("臺中市大里區大里里大里路1號", "大里區", "大里里", "大里路"),
        ("臺中市后里區后里路2號", "后里區", "", "后里路"),
        ("南投縣埔里鎮埔里街3號", "埔里鎮", "", "埔里街"),
        ("新竹縣竹北市市場街4號", "竹北市", "", "市場街"),
        ("南投縣中寮鄉永平村15號", "中寮鄉", "永平村", ""),
        ("桃園市平鎮區平鎮里中豐路5號", "平鎮區", "平鎮里", "中豐路"),
        ("嘉義縣阿里山鄉中山村6號", "阿里山鄉", "中山村", ""),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(
            (
                address.district.as_str(),
                address.village.as_str(),
                address.road.as_str()
            ),
            (district, village, road),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_address() {
    assert_eq!(Address::parse("  "), Err(AddressError::Empty));
    assert_eq!(Address::parse("臺中市西屯區"), Err(AddressError::NoNumber));
    assert_eq!(Address::parse(&"路".repeat(201)), Err(AddressError::TooLong));
}
