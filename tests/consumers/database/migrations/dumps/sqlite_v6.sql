BEGIN TRANSACTION;
CREATE TABLE channels (
	name TEXT NOT NULL, 
	filled_to BIGINT NOT NULL, 
	added_at DATETIME NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "channels" VALUES('desk',8,'2026-03-01 00:00:00.000000');
INSERT INTO "channels" VALUES('slow',8,'2026-03-01 00:00:00.000000');
CREATE TABLE judging (
	name TEXT NOT NULL, 
	judged_to BIGINT NOT NULL, 
	event_time DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "judging" VALUES('notices',12,'2011-03-18 07:06:40.000000');
CREATE TABLE lapwing_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "lapwing_schema" VALUES(1,'2026-11-29 10:21:08.384229');
INSERT INTO "lapwing_schema" VALUES(2,'2026-11-29 10:21:08.393362');
INSERT INTO "lapwing_schema" VALUES(3,'2026-11-29 10:21:08.394138');
INSERT INTO "lapwing_schema" VALUES(4,'2026-11-29 10:21:08.395421');
INSERT INTO "lapwing_schema" VALUES(5,'2026-11-29 10:21:08.396217');
INSERT INTO "lapwing_schema" VALUES(6,'2026-11-29 10:21:08.405190');
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
INSERT INTO "notices" VALUES(5,'f94e87d1-089a-5850-8198-27f2cd334938/5','f94e87d1-089a-5850-8198-27f2cd334938',5,'c7','overdue','2011-03-18 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(6,'e8066063-9d65-5860-814c-ead0268031de/1','e8066063-9d65-5860-814c-ead0268031de',1,'c8','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(7,'fd2faae4-0c6a-5ec9-989a-76faee896712/1','fd2faae4-0c6a-5ec9-989a-76faee896712',1,'d1','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
INSERT INTO "notices" VALUES(8,'a792b5a2-5c7a-532e-8d96-aec1b0816263/1','a792b5a2-5c7a-532e-8d96-aec1b0816263',1,'d2','opened','2011-03-14 07:06:40.000000','medium','["order-collapse"]','told',NULL,NULL,NULL,0,NULL,'2026-03-01 00:00:00.000000');
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
INSERT INTO "outbox" VALUES(7,'fd2faae4-0c6a-5ec9-989a-76faee896712/1','desk','pending',0,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,NULL);
INSERT INTO "outbox" VALUES(8,'a792b5a2-5c7a-532e-8d96-aec1b0816263/1','desk','pending',0,'2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000',NULL,NULL,NULL,NULL);
CREATE TABLE segment_warning_steps (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	time DATETIME NOT NULL, 
	type TEXT NOT NULL, 
	warning_id TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	dimension TEXT NOT NULL, 
	value TEXT NOT NULL, 
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
INSERT INTO "segment_warning_steps" VALUES(1,'3410e5bb-c210-568e-8270-ce45f40fdeb1/1','2011-03-14 07:06:40.000000','churn.segment.opened','3410e5bb-c210-568e-8270-ce45f40fdeb1',1,'region','north','open','medium','{"warning_id":"3410e5bb-c210-568e-8270-ce45f40fdeb1","step":1,"dimension":"region","value":"north","state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","causes":[{"rule":"complaints-up","version":"1f3a5b7c9d0e","title":"Title of complaints-up","tier":"medium","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of complaints-up","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null}],"rule_set":"abc"}','4e9c851d49ef1e9a0cef7d4d4861004224b359858bcc0f5da37fe61bc0b07c33','segment-warnings',0,0,'2026-03-01 00:00:00.000000');
INSERT INTO "segment_warning_steps" VALUES(2,'3410e5bb-c210-568e-8270-ce45f40fdeb1/2','2011-03-15 07:06:40.000000','churn.segment.updated','3410e5bb-c210-568e-8270-ce45f40fdeb1',2,'region','north','open','medium','{"warning_id":"3410e5bb-c210-568e-8270-ce45f40fdeb1","step":2,"dimension":"region","value":"north","state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null}],"rule_set":"abc"}','2ad71bd18d2ffea93bfa8c287d6bd40df6f912545fe5475c0ab5f500a442dc23','segment-warnings',0,1,'2026-03-01 00:00:00.000000');
INSERT INTO "segment_warning_steps" VALUES(3,'3410e5bb-c210-568e-8270-ce45f40fdeb1/3','2011-03-16 07:06:40.000000','churn.segment.escalated','3410e5bb-c210-568e-8270-ce45f40fdeb1',3,'region','north','open','high','{"warning_id":"3410e5bb-c210-568e-8270-ce45f40fdeb1","step":3,"dimension":"region","value":"north","state":"open","tier":"high","opened_at":"2011-03-14T07:06:40Z","causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null},{"rule":"c","version":"1f3a5b7c9d0e","title":"Title of c","tier":"high","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of c","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null}],"rule_set":"abc"}','f5a2d99eddb7d767b3cbfda32dbd725c46c143d5e03d74a93427227a73a159d4','segment-warnings',0,2,'2026-03-01 00:00:00.000000');
INSERT INTO "segment_warning_steps" VALUES(4,'3410e5bb-c210-568e-8270-ce45f40fdeb1/4','2011-03-17 07:06:40.000000','churn.segment.resolved','3410e5bb-c210-568e-8270-ce45f40fdeb1',4,'region','north','resolved','high','{"warning_id":"3410e5bb-c210-568e-8270-ce45f40fdeb1","step":4,"dimension":"region","value":"north","state":"resolved","tier":"high","opened_at":"2011-03-14T07:06:40Z","causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null}],"rule_set":"abc"}','a322e69ba094a0a47b442b977b463bd4a75ea930b948e8bc634c8071b3429e39','segment-warnings',0,3,'2026-03-01 00:00:00.000000');
CREATE TABLE segment_warnings (
	id TEXT NOT NULL, 
	dimension TEXT NOT NULL, 
	value TEXT NOT NULL, 
	state TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	opened_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	closed_at DATETIME, 
	last_step INTEGER NOT NULL, 
	last_type TEXT NOT NULL, 
	causes JSON NOT NULL, 
	rule_set TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "segment_warnings" VALUES('3410e5bb-c210-568e-8270-ce45f40fdeb1','region','north','resolved','high','2011-03-14 07:06:40.000000','2011-03-17 07:06:40.000000','2011-03-17 07:06:40.000000',4,'churn.segment.resolved','[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"complaints","owner":null,"play":"Ask the depot","since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"complaints_7d":12,"complaint_rise":2.5},"inhibited_by":null}]','abc');
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
INSERT INTO "silences" VALUES('s',1,'me','why','2000-01-01 00:00:00.000000','2026-03-10 00:00:00.000000',NULL,'{"id":"s","revision":1,"author":"me","reason":"why","created_at":"2000-01-01T00:00:00Z","matchers":{"everything":false,"customers":["c1"],"customer_classes":[],"segments":[],"regions":[],"account_owners":[],"tiers":[],"rules":[],"reasons":[]},"starts_at":"2000-01-01T00:00:00Z","ends_at":"2026-03-10T00:00:00Z","recurring":null,"expired_at":null,"expired_by":null}','2026-03-02 12:00:00.000000');
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
INSERT INTO "unreadable" VALUES(1,'churn-warnings',0,10,'12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc','invalid','not a warning event: Invalid JSON: expected value at line 1 column 1',X'6331',X'00FF','2026-03-01 00:00:00.000000');
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
INSERT INTO "warning_steps" VALUES(1,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1','2011-03-14 07:06:40.000000','churn.warning.opened','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',1,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":1,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','e0793abdc012fab45669c9d4d5112de5261980fea6c3ed02b92f440d5ab3ccbd','churn-warnings',0,0,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(2,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2','2011-03-15 07:06:40.000000','churn.warning.updated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',2,'c0','open','medium','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":2,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','43bff4c410b6febe061977ee31addc427424cbf3627a0d76a064f6b9b5cb35fc','churn-warnings',0,1,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(3,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3','2011-03-16 07:06:40.000000','churn.warning.escalated','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',3,'c0','open','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":3,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"c","version":"1f3a5b7c9d0e","title":"Title of c","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of c","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','083d97eabcbfc925935319138bea577b2af2bc9909a6cce67a8a19c350b244fe','churn-warnings',0,2,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(4,'35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4','2011-03-17 07:06:40.000000','churn.warning.resolved','35c11a3f-c12b-588c-88cb-dc3c6b3df67c',4,'c0','resolved','high','{"warning_id":"35c11a3f-c12b-588c-88cb-dc3c6b3df67c","step":4,"customer_id":"c0","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"resolved","tier":"high","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','55f93009ea53fe451342af363466bc71d81143d9601d4e576d9c05cd6e6e5111','churn-warnings',0,3,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(5,'f94e87d1-089a-5850-8198-27f2cd334938/1','2011-03-14 07:06:40.000000','churn.warning.opened','f94e87d1-089a-5850-8198-27f2cd334938',1,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":1,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','ea559d3da4c982f972fb584cdcde09a0c32c1bc6634f9e1acd8e556dc9521bc7','churn-warnings',0,4,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(6,'f94e87d1-089a-5850-8198-27f2cd334938/2','2011-03-15 07:06:40.000000','churn.warning.acknowledged','f94e87d1-089a-5850-8198-27f2cd334938',2,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":2,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"acknowledged","step":2,"since":"2011-03-15T07:06:40Z","by":"ann","until":"2011-03-16T07:06:40Z","deadline":null,"level":0},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','0fe51ae21db0e3c4ef44186416c8200a6c79349c1207a07f74373837eac62503','churn-warnings',0,5,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(7,'f94e87d1-089a-5850-8198-27f2cd334938/3','2011-03-16 07:06:40.000000','churn.warning.updated','f94e87d1-089a-5850-8198-27f2cd334938',3,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":3,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"lapsed","step":3,"since":"2011-03-16T07:06:40Z","by":"ann","until":null,"deadline":"2011-03-18T07:06:40Z","level":0},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','8c70e048fc287495a201ca80efba4526b7877e778eddd411e3b224880ea4d6a1','churn-warnings',0,6,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(8,'f94e87d1-089a-5850-8198-27f2cd334938/4','2011-03-17 07:06:40.000000','churn.warning.updated','f94e87d1-089a-5850-8198-27f2cd334938',4,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":4,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"lapsed","step":3,"since":"2011-03-16T07:06:40Z","by":"ann","until":null,"deadline":"2011-03-18T07:06:40Z","level":0},"causes":[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null},{"rule":"b","version":"1f3a5b7c9d0e","title":"Title of b","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of b","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','ee0537783930322ab8148ff21c3cbb7cbacdf27df76a6ee3c2692d50e95ac4db','churn-warnings',0,7,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(9,'f94e87d1-089a-5850-8198-27f2cd334938/5','2011-03-18 07:06:40.000000','churn.warning.escalated','f94e87d1-089a-5850-8198-27f2cd334938',5,'c7','open','medium','{"warning_id":"f94e87d1-089a-5850-8198-27f2cd334938","step":5,"customer_id":"c7","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":{"state":"overdue","step":5,"since":"2011-03-18T07:06:40Z","by":"ann","until":null,"deadline":null,"level":1},"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','808015653b9b566a1ade4fa5b443c8d5614ca4d6ab78baf365dce93fdeca25b9','churn-warnings',0,8,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(10,'e8066063-9d65-5860-814c-ead0268031de/1','2011-03-14 07:06:40.000000','churn.warning.opened','e8066063-9d65-5860-814c-ead0268031de',1,'c8','open','medium','{"warning_id":"e8066063-9d65-5860-814c-ead0268031de","step":1,"customer_id":"c8","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":null,"play":null,"holdout":false,"rule_set":"abc"}','277957937884b37467dbdccd08b789f35a5bd56f1cad58a9369be86c390c0035','churn-warnings',0,9,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(11,'fd2faae4-0c6a-5ec9-989a-76faee896712/1','2011-03-14 07:06:40.000000','churn.warning.opened','fd2faae4-0c6a-5ec9-989a-76faee896712',1,'d1','open','medium','{"warning_id":"fd2faae4-0c6a-5ec9-989a-76faee896712","step":1,"customer_id":"d1","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":{"play":"care-call","verdict":"rescue","why":"worth","value":1000.0,"probability":0.71,"success":0.25,"success_source":"prior","gain":177.5,"cost":{"labour":20.0},"net":157.5,"break_even":0.028169014084507043,"missing":[]},"play":null,"holdout":false,"rule_set":"abc"}','16644b31a8d7e0d5701565775d8f08d53684b99f0181db89092bcf555d21e795','churn-warnings',0,12,'2026-03-01 00:00:00.000000');
INSERT INTO "warning_steps" VALUES(12,'a792b5a2-5c7a-532e-8d96-aec1b0816263/1','2011-03-14 07:06:40.000000','churn.warning.opened','a792b5a2-5c7a-532e-8d96-aec1b0816263',1,'d2','open','medium','{"warning_id":"a792b5a2-5c7a-532e-8d96-aec1b0816263","step":1,"customer_id":"d2","customer_class":null,"segment":null,"region":null,"account_owner":null,"state":"open","tier":"medium","opened_at":"2011-03-14T07:06:40Z","attention":null,"causes":[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}],"churn_probability":0.73,"horizon_days":90,"model_version":"m1","reasons":[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}],"value_at_risk":null,"decision":{"play":"care-call","verdict":"rescue","why":"worth","value":1000.0,"probability":0.71,"success":0.25,"success_source":"prior","gain":177.5,"cost":{"labour":20.0},"net":null,"break_even":0.028169014084507043,"missing":[]},"play":null,"holdout":false,"rule_set":"abc"}','ffe48ed4d8fb64f908985aa28cb358a65db1d437421ad9dc8c2711c8b336aeb3','churn-warnings',0,13,'2026-03-01 00:00:00.000000');
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
	rule_set TEXT, attention TEXT, attended_by TEXT, attended_until DATETIME, deadline DATETIME, net FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "warnings" VALUES('35c11a3f-c12b-588c-88cb-dc3c6b3df67c','c0','resolved','high','2011-03-14 07:06:40.000000','2011-03-17 07:06:40.000000','2011-03-17 07:06:40.000000',4,'churn.warning.resolved','[{"rule":"a","version":"1f3a5b7c9d0e","title":"Title of a","tier":"high","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of a","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}]',0.73,90,'m1',NULL,NULL,NULL,0,'abc',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "warnings" VALUES('f94e87d1-089a-5850-8198-27f2cd334938','c7','open','medium','2011-03-14 07:06:40.000000','2011-03-18 07:06:40.000000',NULL,5,'churn.warning.escalated','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}]',0.73,90,'m1',NULL,NULL,NULL,0,'abc','overdue','ann',NULL,NULL,NULL);
INSERT INTO "warnings" VALUES('e8066063-9d65-5860-814c-ead0268031de','c8','open','medium','2011-03-14 07:06:40.000000','2011-03-14 07:06:40.000000',NULL,1,'churn.warning.opened','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}]',0.73,90,'m1',NULL,NULL,NULL,0,'abc',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "warnings" VALUES('fd2faae4-0c6a-5ec9-989a-76faee896712','d1','open','medium','2011-03-14 07:06:40.000000','2011-03-14 07:06:40.000000',NULL,1,'churn.warning.opened','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}]',0.73,90,'m1',NULL,'rescue',NULL,0,'abc',NULL,NULL,NULL,NULL,157.5);
INSERT INTO "warnings" VALUES('a792b5a2-5c7a-532e-8d96-aec1b0816263','d2','open','medium','2011-03-14 07:06:40.000000','2011-03-14 07:06:40.000000',NULL,1,'churn.warning.opened','[{"rule":"order-collapse","version":"1f3a5b7c9d0e","title":"Title of order-collapse","tier":"medium","reason":"activity_decline","owner":null,"play":null,"since":"2011-03-13T07:06:40Z","opened_at":"2011-03-14T07:06:40Z","message":"message of order-collapse","values":{"orders_30d":1,"order_trend":0.25,"segment":null},"inhibited_by":null}]','[{"feature":"order_trend","contribution":0.8,"value":0.25,"group":"","text":""},{"feature":"logins_30d","contribution":-0.1,"value":null,"group":"","text":""}]',0.73,90,'m1',NULL,'rescue',NULL,0,'abc',NULL,NULL,NULL,NULL,NULL);
CREATE INDEX warning_steps_by_customer ON warning_steps (customer_id);
CREATE INDEX warning_steps_by_warning ON warning_steps (warning_id, step);
CREATE INDEX warnings_by_state ON warnings (state, tier);
CREATE INDEX warnings_by_customer ON warnings (customer_id);
CREATE INDEX outbox_by_due ON outbox (channel, state, due_at);
CREATE INDEX notices_by_customer ON notices (customer_id, at);
CREATE INDEX notices_by_verdict ON notices (verdict, look_again_at);
CREATE INDEX notices_by_step ON notices (step_id);
CREATE INDEX segment_warning_steps_by_warning ON segment_warning_steps (warning_id, step);
CREATE INDEX segment_warnings_by_state ON segment_warnings (state, tier);
CREATE INDEX segment_warnings_by_segment ON segment_warnings (dimension, value);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('notices',8);
INSERT INTO "sqlite_sequence" VALUES('warning_steps',12);
INSERT INTO "sqlite_sequence" VALUES('unreadable',2);
INSERT INTO "sqlite_sequence" VALUES('outbox',8);
INSERT INTO "sqlite_sequence" VALUES('segment_warning_steps',4);
COMMIT;
