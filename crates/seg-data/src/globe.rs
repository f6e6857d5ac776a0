//! Distances on the globe.

/// The mean radius of the earth in kilometres, as the IUGG has it.
const RADIUS_KM: f64 = 6371.0088;

/// A place: degrees north and degrees east.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From -90 to 90.
    pub latitude: f64,
    /// From -180 to 180.
    pub longitude: f64,
}

impl Place {
    /// A place, unless there is none such.
    pub fn new(latitude: f64, longitude: f64) -> Option<Place> {
        let is_one = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_one.then_some(Place { latitude, longitude })
    }

    /// The great-circle distance in kilometres by the haversine formula
    /// (R. W. Sinnott, "Virtues of the Haversine", 1984). The functions are
    /// those of `libm`, so that every machine gives the same bits.
    pub fn km_to(self, other: Place) -> f64 {
        let half_sine = |degrees: f64| libm::sin(degrees.to_radians() / 2.0);
        let (north, east) = (half_sine(other.latitude - self.latitude), half_sine(other.longitude - self.longitude));
        let cosines = libm::cos(self.latitude.to_radians()) * libm::cos(other.latitude.to_radians());
        let h = north * north + cosines * east * east;
        2.0 * RADIUS_KM * libm::asin(h.sqrt().min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn london_to_paris() {
        let london = Place::new(51.5074, -0.1278).expect("a place");
        let paris = Place::new(48.8566, 2.3522).expect("a place");
        assert!((london.km_to(paris) - 343.556_5).abs() < 0.001, "{}", london.km_to(paris));
        assert_eq!(london.km_to(london), 0.0);
        assert_eq!(Place::new(91.0, 0.0), None);
        assert_eq!(Place::new(f64::NAN, 0.0), None);
    }
}
