BEGIN TRANSACTION;
CREATE TABLE lapwing_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "lapwing_schema" VALUES(1,'2026-11-29 10:20:34.668651');
CREATE TABLE unreadable (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source_topic TEXT NOT NULL, 
	source_partition INTEGER NOT NULL, 
	source_offset BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	"key" BLOB, 
	value BLOB, 
	received_at DATETIME NOT NULL, 
	UNIQUE (source_topic, source_partition, source_offset, digest)
);
INSERT INTO "unreadable" VALUES(1,'churn-warnings',0,5,'12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc','invalid','not a warning event: the value: Invalid JSON: expected value at line 1 column 1',X'6331',X'00FF','2026-03-01 00:00:00.000000');
INSERT INTO "unreadable" VALUES(2,'churn-warnings',0,6,'71075c822e26c0b5bec35cd9e4ab35d344b3b7b7120d370af6d021807e98414a','empty','no value',X'6331',NULL,'2026-03-01 00:00:00.000000');
CREATE TABLE warning_steps (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	time DATETIME NOT NULL, 
	type TEXT NOT NULL, 
	warning_id TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	customer_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	data JSON NOT NULL, 
	digest TEXT NOT NULL, 
	source_topic TEXT NOT NULL, 
	source_partition INTEGER NOT NULL, 
	source_offset BIGINT NOT NULL, 
	received_at DATETIME NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "warning_steps" VALUES(1,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1','2011-03-14 07:06:40.000000','churn.warning.opened','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',1,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":1,"customer_id":"c0","state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','b7076b58b4634136b07b831532b92bf2c633d97f4ad455afe46dee9b41c9e5ab','churn-warnings',0,0,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(2,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2','2011-03-15 07:06:40.000000','churn.warning.updated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',2,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":2,"customer_id":"c0","state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null}},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','f8967270dc8a8bc3057b82b589b46cbb16063953bc585b758d472fa93894a758','churn-warnings',0,1,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(3,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3','2011-03-16 07:06:40.000000','churn.warning.escalated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',3,'c0','open','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":3,"customer_id":"c0","state":"open","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null}},{"rule":"c","version":"1f3a5b7c9d0e","title":"Title of c","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of c","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','99d4d3289b763eeff75a8e36937061c878b16243378280c6d22496a7be6e1a99','churn-warnings',0,2,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(4,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4','2011-03-17 07:06:40.000000','churn.warning.resolved','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',4,'c0','resolved','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":4,"customer_id":"c0","state":"resolved","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','0cf6614ee1c2bdf35484c81f6f9d4703104a704019cc59bd158b3ced9d2267c7','churn-warnings',0,3,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(5,'e8066063-9d65-5860-814c-ead0268031de/1','2011-03-14 07:06:40.000000','churn.warning.opened','e8066063-9d65-5860-814c-ead0268031de',1,'c8','open','medium','{"warning_id":"e8066063-9d65-5860-814c-ead0268031de","step":1,"customer_id":"c8","state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','d3539c1928d000489ef1dea5aaf44e611dc61bdc1d74a8e397ebf4deb2d55b4f','churn-warnings',0,4,'2026-03-01 00:00:00.000000');
CREATE TABLE warnings (
	id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	opened_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	closed_at DATETIME, 
	last_step INTEGER NOT NULL, 
	last_type TEXT NOT NULL, 
	causes JSON NOT NULL, 
	reasons JSON NOT NULL, 
	churn_probability FLOAT, 
	horizon_days INTEGER, 
	model_version TEXT, 
	value_at_risk FLOAT, 
	decision TEXT, 
	play TEXT, 
	holdout BOOLEAN, 
	rule_set TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "warnings" VALUES('35c11a3f-c12b-588c-88cb-dc3c6b3df67c','c0','resolved','high','2011-03-14 07:06:40.000000','2011-03-17 07:06:40.000000','2011-03-17 07:06:40.000000',4,'churn.warning.resolved','[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}]','[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}]',0.73,90,'m1',NULL,'unknown',NULL,0,'abc');
INSERT INTO "warnings" VALUES('e8066063-9d65-5860-814c-ead0268031de','c8','open','medium','2011-03-14 07:06:40.000000','2011-03-14 07:06:40.000000',NULL,1,'churn.warning.opened','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null}}]','[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}]',0.73,90,'m1',NULL,'unknown',NULL,0,'abc');
CREATE INDEX warning_steps_by_warning ON warning_steps (warning_id, step);
CREATE INDEX warning_steps_by_customer ON warning_steps (customer_id);
CREATE INDEX warnings_by_state ON warnings (state, tier);
CREATE INDEX warnings_by_customer ON warnings (customer_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('warning_steps',5);
INSERT INTO "sqlite_sequence" VALUES('unreadable',2);
COMMIT;
