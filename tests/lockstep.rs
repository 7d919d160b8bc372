pub fn later() {}
