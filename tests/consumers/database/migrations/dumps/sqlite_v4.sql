BEGIN TRANSACTION;
CREATE TABLE channels (
	name TEXT NOT NULL, 
	filled_to BIGINT NOT NULL, 
	added_at DATETIME NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "channels" VALUES('desk',6,'2026-03-01 00:00:00.000000');
INSERT INTO "channels" VALUES('slow',6,'2026-03-01 00:00:00.000000');
CREATE TABLE judging (
	name TEXT NOT NULL, 
	judged_to BIGINT NOT NULL, 
	event_time DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "judging" VALUES('notices',10,'2011-03-18 07:06:40.000000');
CREATE TABLE lapwing_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "lapwing_schema" VALUES(1,'2026-11-29 10:20:56.405249');
INSERT INTO "lapwing_schema" VALUES(2,'2026-11-29 10:20:56.406435');
INSERT INTO "lapwing_schema" VALUES(3,'2026-11-29 10:20:56.407228');
INSERT INTO "lapwing_schema" VALUES(4,'2026-11-29 10:20:56.408495');
CREATE TABLE notices (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	step_id TEXT NOT NULL, 
	warning_id TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	customer_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	tier TEXT NOT NULL, 
	rules JSON NOT NULL, 
	verdict TEXT NOT NULL, 
	why TEXT, 
	silence_id TEXT, 
	look_again_at DATETIME, 
	by_wall_clock BOOLEAN NOT NULL, 
	note TEXT, 
	judged_at DATETIME NOT NULL, 
	FOREIGN KEY(step_id) REFERENCES warning_steps (id)
);
INSERT INTO "notices" VALUES(1,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',1,'c0','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(2,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',3,'c0','escalated','2011-03-16 07:06:40.000000','high','["a","c"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(3,'f94e87d1-089a-5850-8198-27f2cd334938/1','f94e87d1-089a-5850-8198-27f2cd334938',1,'c7','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(4,'f94e87d1-089a-5850-8198-27f2cd334938/3','f94e87d1-089a-5850-8198-27f2cd334938',3,'c7','lapsed','2011-03-16 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(5,'f94e87d1-089a-5850-8198-27f2cd334938/5','f94e87d1-089a-5850-8198-27f2cd334938',5,'c7','escalated','2011-03-18 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(6,'e8066063-9d65-5860-814c-ead0268031de/1','e8066063-9d65-5860-814c-ead0268031de',1,'c8','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
CREATE TABLE outbox (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	step_id TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	due_at DATETIME NOT NULL, 
	claimed_by TEXT, 
	claimed_until DATETIME, 
	sent_at DATETIME, 
	last_error TEXT, 
	UNIQUE (step_id, channel), 
	FOREIGN KEY(step_id) REFERENCES warning_steps (id), 
	FOREIGN KEY(channel) REFERENCES channels (name)
);
INSERT INTO "outbox" VALUES(1,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1','desk','sent',1,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,'2026-03-01 00:00:00.000000',NULL);
INSERT INTO "outbox" VALUES(2,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3','desk','given_up',1,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,'refused');
INSERT INTO "outbox" VALUES(3,'f94e87d1-089a-5850-8198-27f2cd334938/1','desk','pending',1,'2026-03-01 00:00:00.000000','2026-03-01 01:00:00.000000',NULL,NULL,NULL,'away');
INSERT INTO "outbox" VALUES(4,'f94e87d1-089a-5850-8198-27f2cd334938/3','desk','pending',0,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,NULL);
INSERT INTO "outbox" VALUES(5,'f94e87d1-089a-5850-8198-27f2cd334938/5','desk','pending',0,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,NULL);
INSERT INTO "outbox" VALUES(6,'e8066063-9d65-5860-814c-ead0268031de/1','desk','pending',0,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,NULL);
CREATE TABLE silences (
	id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	author TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	starts_at DATETIME NOT NULL, 
	ends_at DATETIME, 
	expired_at DATETIME, 
	content JSON NOT NULL, 
	received_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "silences" VALUES('s',1,'me','why','2000-01-01 00:00:00.000000','2026-03-10 00:00:00.000000',NULL,'{"id":"s","revision":1,"author":"me","reason":"why","created_at":"2000-01-01T00:00:00Z","matchers":{"everything":false,"customers":["c1"],"customer_classes":[],"segments":[],"regions":[],"tiers":[],"rules":[],"reasons":[]},"starts_at":"2000-01-01T00:00:00Z","ends_at":"2026-03-10T00:00:00Z","recurring":null,"expired_at":null,"expired_by":null}','2026-03-02 12:00:00.000000');
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
INSERT INTO "unreadable" VALUES(1,'churn-warnings',0,10,'12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc','invalid','not a warning event: the value: Invalid JSON: expected value at line 1 column 1',X'6331',X'00FF','2026-03-01 00:00:00.000000');
INSERT INTO "unreadable" VALUES(2,'churn-warnings',0,11,'71075c822e26c0b5bec35cd9e4ab35d344b3b7b7120d370af6d021807e98414a','empty','no value',X'6331',NULL,'2026-03-01 00:00:00.000000');
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
INSERT INTO "warning_steps" VALUES(1,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1','2011-03-14 07:06:40.000000','churn.warning.opened','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',1,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":1,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','e8625ff066be11547293efa66ff3a2af8da33ff12c972ec850991981717ee37a','churn-warnings',0,0,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(2,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2','2011-03-15 07:06:40.000000','churn.warning.updated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',2,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":2,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','a2df02997ec8d142df22f438fe57066b71aa40c32abf8e390152dc7097aa0070','churn-warnings',0,1,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(3,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3','2011-03-16 07:06:40.000000','churn.warning.escalated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',3,'c0','open','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":3,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"state":"open","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"c","version":"1f3a5b7c9d0e","title":"Title of c","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of c","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','dd2757f22114bb0fe4142026875835d70e87bebeb7e6e35c45be3a7fd5ef0b79','churn-warnings',0,2,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(4,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4','2011-03-17 07:06:40.000000','churn.warning.resolved','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',4,'c0','resolved','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":4,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"state":"resolved","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','730dc2bc32d9e72c24ef87a982f99a01ee017d3dc28bf34d320bc22e9474033d','churn-warnings',0,3,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(5,'f94e87d1-089a-5850-8198-27f2cd334938/1','2011-03-14 07:06:40.000000','churn.warning.opened','f94e87d1-089a-5850-8198-27f2cd334938',1,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":1,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','42f076091328197f1e175fb001e9497a87528fb67b0fe1576c79f356a0fb3028','churn-warnings',0,4,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(6,'f94e87d1-089a-5850-8198-27f2cd334938/2','2011-03-15 07:06:40.000000','churn.warning.acknowledged','f94e87d1-089a-5850-8198-27f2cd334938',2,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":2,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"acknowledged","step":2,"since":"2011-03-15T07:06:40Z","by":"ann","until":"2011-03-16T07:06:40Z","deadline":null,"level":0},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','c649ebf714b82e06cd5ce43b497fbbe74b150a00a3bffe70cfa3f1862585eb85','churn-warnings',0,5,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(7,'f94e87d1-089a-5850-8198-27f2cd334938/3','2011-03-16 07:06:40.000000','churn.warning.updated','f94e87d1-089a-5850-8198-27f2cd334938',3,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":3,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"lapsed","step":3,"since":"2011-03-16T07:06:40Z","by":"ann","until":null,"deadline":"2011-03-18T07:06:40Z","level":0},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','8afcc122f0e0bb56529071e2db2a89b9e7981b9e2ec42dded12597466f00625e','churn-warnings',0,6,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(8,'f94e87d1-089a-5850-8198-27f2cd334938/4','2011-03-17 07:06:40.000000','churn.warning.updated','f94e87d1-089a-5850-8198-27f2cd334938',4,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":4,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"lapsed","step":3,"since":"2011-03-16T07:06:40Z","by":"ann","until":null,"deadline":"2011-03-18T07:06:40Z","level":0},"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','ac92e607ca80ea695380de9b5a0237f618534ae6281d2cb28d9505d10f34ea3c','churn-warnings',0,7,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(9,'f94e87d1-089a-5850-8198-27f2cd334938/5','2011-03-18 07:06:40.000000','churn.warning.escalated','f94e87d1-089a-5850-8198-27f2cd334938',5,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":5,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"overdue","step":5,"since":"2011-03-18T07:06:40Z","by":"ann","until":null,"deadline":null,"level":1},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','6ce9fcd672b092f52b919a32b9045705ac7f70d21c6d314400b6476b82925207','churn-warnings',0,8,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(10,'e8066063-9d65-5860-814c-ead0268031de/1','2011-03-14 07:06:40.000000','churn.warning.opened','e8066063-9d65-5860-814c-ead0268031de',1,'c8','open','medium','{"warning_id":"e8066063-9d65-5860-814c-ead0268031de","step":1,"customer_id":"c8","customer_class":null,"segment":null,"region":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}],"value_at_risk":null,"decision":"unknown","play":null,"holdout":false,"rule_set":"abc"}','870dc47f7b4fb218a5fd2913cb9274959518aa9e2b274cb0561c1d17f023d207','churn-warnings',0,9,'2026-03-01 00:00:00.000000');
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
	rule_set TEXT, attention TEXT, attended_by TEXT, attended_until DATETIME, deadline DATETIME, 
	PRIMARY KEY (id)
);
INSERT INTO "warnings" VALUES('35c11a3f-c12b-588c-88cb-dc3c6b3df67c','c0','resolved','high','2011-03-14 07:06:40.000000','2011-03-17 07:06:40.000000','2011-03-17 07:06:40.000000',4,'churn.warning.resolved','[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}]',0.73,90,'m1',NULL,'unknown',NULL,0,'abc',NULL,NULL,NULL,NULL);
INSERT INTO "warnings" VALUES('f94e87d1-089a-5850-8198-27f2cd334938','c7','open','medium','2011-03-14 07:06:40.000000','2011-03-18 07:06:40.000000',NULL,5,'churn.warning.escalated','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}]',0.73,90,'m1',NULL,'unknown',NULL,0,'abc','overdue','ann',NULL,NULL);
INSERT INTO "warnings" VALUES('e8066063-9d65-5860-814c-ead0268031de','c8','open','medium','2011-03-14 07:06:40.000000','2011-03-14 07:06:40.000000',NULL,1,'churn.warning.opened','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25},{"feature":"logins_30d","contribution":-0.1,"value":null}]',0.73,90,'m1',NULL,'unknown',NULL,0,'abc',NULL,NULL,NULL,NULL);
CREATE INDEX warning_steps_by_warning ON warning_steps (warning_id, step);
CREATE INDEX warning_steps_by_customer ON warning_steps (customer_id);
CREATE INDEX warnings_by_customer ON warnings (customer_id);
CREATE INDEX warnings_by_state ON warnings (state, tier);
CREATE INDEX outbox_by_due ON outbox (channel, state, due_at);
CREATE INDEX notices_by_customer ON notices (customer_id, at);
CREATE INDEX notices_by_step ON notices (step_id);
CREATE INDEX notices_by_verdict ON notices (verdict, look_again_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('notices',6);
INSERT INTO "sqlite_sequence" VALUES('warning_steps',10);
INSERT INTO "sqlite_sequence" VALUES('unreadable',2);
INSERT INTO "sqlite_sequence" VALUES('outbox',6);
COMMIT;
