DROP TABLE url_checks;
