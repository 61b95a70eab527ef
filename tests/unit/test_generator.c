/* S24: names from prompts, slugs from names; S23: what cannot be named. */
#include "engine/generator.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

/* A slug of NULL: none worth having, the caller's "scenario-<id>" serves. */
static const struct {
    const char *prompt, *name, *slug;
} cases[] = {
    {"Create a discovery call scenario with a skeptical IT director who is concerned about integration complexity",
     "Discovery Call with Skeptical IT Director", "discovery-call-with-skeptical-it-director"},
    {"Create a discovery call scenario for enterprise software sales with a skeptical IT director",
     "Discovery Call with Skeptical IT Director", "discovery-call-with-skeptical-it-director"},
    {"Please create a role-play where an angry customer demands a refund for a damaged laptop",
     "Angry Customer Demands Refund for Damaged Laptop",
     "angry-customer-demands-refund-for-damaged-laptop"},
    {"Hi team,\n\nCould you please build me a scenario in which a new manager must give difficult feedback to a senior engineer? Thanks!",
     "New Manager Must Give Difficult Feedback", "new-manager-must-give-difficult-feedback"},
    {"I need a scenario. The customer is angry about a late delivery.",
     "Customer Is Angry About Late Delivery", "customer-is-angry-about-late-delivery"},
    {"I'd like to practice cold calling a busy dentist", "Cold Calling Busy Dentist",
     "cold-calling-busy-dentist"},
    {"We'd like to have a simulation of a salary negotiation between an HR manager and a candidate",
     "Salary Negotiation Between HR Manager and Candidate",
     "salary-negotiation-between-hr-manager-and-candidate"},
    {"# Cold Call\n\nCreate a scenario where the rep calls a busy dentist.",
     "Cold Call: Rep Calls Busy Dentist", "cold-call-rep-calls-busy-dentist"},
    {"CREATE A DISCOVERY CALL WITH AN IT DIRECTOR ABOUT CRM MIGRATION",
     "Discovery Call with IT Director About CRM Migration",
     "discovery-call-with-it-director-about-crm-migration"},
    {"DISCOVERY CALL", "Discovery Call", "discovery-call"},
    {"log in", "Log In", "log-in"},
    {"C++ interview", "C++ Interview", "c-plus-plus-interview"},
    {"Q&A with O'Brien about SaaS pricing on iPhone",
     "Q&A with O'Brien About SaaS Pricing on iPhone",
     "q-and-a-with-obrien-about-saas-pricing-on-iphone"},
    {"create a demo with o'brien, the ceo of github", "Demo with O'Brien", "demo-with-obrien"},
    {"Scenario: Angry customer wants a refund", "Angry Customer Wants Refund",
     "angry-customer-wants-refund"},
    {"Scenario 3: Upset patient at the front desk", "Upset Patient at Front Desk",
     "upset-patient-at-front-desk"},
    {"Create a scenario", "Create a Scenario", "create-a-scenario"},
    {"https://example.com/foo/bar", "example.com", "example-com"},
    {"Review https://example.com/x with the CFO please", "Review with CFO", "review-with-cfo"},
    {"jane@acme.com", "jane@acme.com", "jane-at-acme-com"},
    {"🎉🎉", "🎉🎉", NULL},
    {"🎉 Create a birthday party planning call 🎂", "Birthday Party Planning Call",
     "birthday-party-planning-call"},
    {"12345", "12345", "12345"},
    {"Create a 30-minute Q3 budget review with the CFO at Acme Inc. and her team",
     "30-Minute Q3 Budget Review with CFO", "30-minute-q3-budget-review-with-cfo"},
    {"Design review with a senior engineer", "Design Review with Senior Engineer",
     "design-review-with-senior-engineer"},
    {"Design a code review scenario with a senior engineer", "Code Review with Senior Engineer",
     "code-review-with-senior-engineer"},
    {"You are a skeptical IT director at a large bank. The rep calls you about a new CRM.",
     "Skeptical IT Director at Large Bank", "skeptical-it-director-at-large-bank"},
    {"Act as an impatient, angry customer calling about a billing error",
     "Impatient, Angry Customer Calling About Billing Error",
     "impatient-angry-customer-calling-about-billing-error"},
    {"Train our new hires to handle price objections", "Train New Hires to Handle Price Objections",
     "train-new-hires-to-handle-price-objections"},
    {"How to handle an angry customer", "How to Handle Angry Customer",
     "how-to-handle-angry-customer"},
    {"Crée un scénario d'appel de découverte avec un directeur informatique sceptique",
     "Appel de Découverte avec Directeur Informatique Sceptique",
     "appel-de-decouverte-avec-directeur-informatique-sceptique"},
    {"Bonjour, j'ai besoin d'un scénario de négociation salariale avec une responsable RH qui refuse toute augmentation",
     "Négociation Salariale avec Responsable RH", "negociation-salariale-avec-responsable-rh"},
    {"Erstelle ein Szenario für ein Erstgespräch mit einem skeptischen IT-Leiter, der sich Sorgen macht",
     "Erstgespräch mit einem Skeptischen IT-Leiter",
     "erstgesprach-mit-einem-skeptischen-it-leiter"},
    {"Bitte erstellen Sie ein Rollenspiel über eine Gehaltsverhandlung", "Gehaltsverhandlung",
     "gehaltsverhandlung"},
    {"Crea un escenario de llamada de ventas con un director de TI escéptico que duda del precio",
     "Llamada de Ventas con Director de TI Escéptico",
     "llamada-de-ventas-con-director-de-ti-esceptico"},
    {"Por favor, necesito una simulación de entrevista de trabajo", "Entrevista de Trabajo",
     "entrevista-de-trabajo"},
    {"Crie um cenário de atendimento ao cliente com uma pessoa irritada",
     "Atendimento ao Cliente com Pessoa Irritada", "atendimento-ao-cliente-com-pessoa-irritada"},
    {"Crea uno scenario di vendita con un direttore dell'azienda molto scettico",
     "Vendita con Direttore dell'Azienda Molto Scettico",
     "vendita-con-direttore-dellazienda-molto-scettico"},
    {"Maak een scenario voor een verkoopgesprek met een sceptische IT-directeur",
     "Verkoopgesprek met een Sceptische IT-Directeur",
     "verkoopgesprek-met-een-sceptische-it-directeur"},
    {"Stwórz scenariusz rozmowy sprzedażowej ze sceptycznym dyrektorem IT",
     "Scenariusz Rozmowy Sprzedażowej ze Sceptycznym Dyrektorem IT",
     "scenariusz-rozmowy-sprzedazowej-ze-sceptycznym-dyrektorem-it"},
    {"Şüpheci bir BT direktörü ile keşif görüşmesi senaryosu oluştur",
     "Şüpheci bir BT Direktörü ile Keşif Görüşmesi",
     "supheci-bir-bt-direktoru-ile-kesif-gorusmesi"},
    {"istanbul'da iş görüşmesi için bir senaryo", "İstanbul'da İş Görüşmesi",
     "istanbulda-is-gorusmesi"},
    {"Tạo kịch bản cuộc gọi khám phá với giám đốc công nghệ hoài nghi", "Cuộc Gọi Khám Phá",
     "cuoc-goi-kham-pha"},
    {"Создай сценарий звонка со скептичным ИТ-директором, который беспокоится о сложности",
     "Сценарий Звонка со Скептичным ИТ-Директором", NULL},
    {"Δημιούργησε ένα σενάριο για διαπραγμάτευση μισθού με τον διευθυντή",
     "Διαπραγμάτευση Μισθού με τον Διευθυντή", NULL},
    {"ΔΙΑΠΡΑΓΜΑΤΕΥΣΗ ΜΙΣΘΟΣ", "Διαπραγματευση Μισθος", NULL},
    {"أنشئ سيناريو مكالمة استكشافية مع مدير تقنية معلومات متشكك",
     "مكالمة استكشافية مع مدير تقنية معلومات متشكك", NULL},
    {"צור תרחיש של שיחת מכירה עם מנהל ספקן", "שיחת מכירה עם מנהל ספקן", NULL},
    {"创建一个与持怀疑态度的IT总监的发现电话场景，他担心集成的复杂性",
     "与持怀疑态度的IT总监的发现电话", NULL},
    {"请帮我生成一个处理客户投诉的练习", "处理客户投诉的练习", NULL},
    {"懐疑的なITディレクターとのディスカバリーコールのシナリオを作成してください",
     "懐疑的なITディレクターとのディスカバリーコール", NULL},
    {"회의적인 IT 이사와의 발견 통화 시나리오를 만들어 주세요", "회의적인 IT 이사와의 발견 통화",
     NULL},
    {"สร้างสถานการณ์การโทรค้นพบกับผู้อำนวยการฝ่ายไอทีที่สงสัย", "การโทรค้นพบกับผู้อำนวยการฝ่ายไอทีที่สงสัย", NULL},
    {"संशयी आईटी निदेशक के साथ एक डिस्कवरी कॉल बनाएं", "संशयी आईटी निदेशक के साथ एक डिस्कवरी कॉल", NULL},
    {"<b>Create</b> a <i>sales pitch</i> for <script>alert(1)</script> investors",
     "Sales Pitch for Alert", "sales-pitch-for-alert"},
    {"'; DROP TABLE scenarios; --", "DROP TABLE", "drop-table"},
    {"Use exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b for a renewal call with a hesitant CFO",
     "Use for Renewal Call with Hesitant CFO", "use-for-renewal-call-with-hesitant-cfo"},
    {"exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b", "Scenario", "scenario"},
    {"My key: exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b.", "Key", "key"},
    {"{\"prompt\": \"Create a renewal call with a hesitant CFO\"}",
     "Renewal Call with Hesitant CFO", "renewal-call-with-hesitant-cfo"},
    {"**Create** a *mock interview* with [a recruiter](https://x.y) for a data analyst role",
     "Mock Interview with Recruiter for Data Analyst Role",
     "mock-interview-with-recruiter-for-data-analyst-role"},
    {"- Discovery call\n- Skeptical buyer\n- 30 minutes", "Discovery Call: Skeptical Buyer",
     "discovery-call-skeptical-buyer"},
    {"Negotiate a Series A term sheet with a tough VC",
     "Negotiate Series A Term Sheet with Tough VC", "negotiate-series-a-term-sheet-with-tough-vc"},
    {"Create a very long and complicated multi-party negotiation about the acquisition of a family-owned manufacturing company in southern Germany by a private equity fund",
     "Very Long and Complicated Multi-Party Negotiation",
     "very-long-and-complicated-multi-party-negotiation"},
    {"Create a discovery call (30 min) with a CFO", "Discovery Call with CFO",
     "discovery-call-with-cfo"},
    {"Practice end-to-end follow-up with state-of-the-art tools",
     "Practice End-to-End Follow-Up with State-of-the-Art Tools",
     "practice-end-to-end-follow-up-with-state-of-the-art-tools"},
    {"Help me prepare for a difficult conversation with my boss about a promotion",
     "Prepare for Difficult Conversation with Boss About Promotion",
     "prepare-for-difficult-conversation-with-boss-about-promotion"},
    {"Create a scenario called \"The Angry Customer\" for new hires",
     "Angry Customer for New Hires", "angry-customer-for-new-hires"},
    {"Pneumonoultramicroscopicsilicovolcanoconiosispneumonoultramicroscopicsilicovolcanoconiosis diagnosis",
     "Pneumonoultramicroscopicsilicovolcanoconiosispneumonoultrami Diagnosis",
     "pneumonoultramicroscopicsilicovolcanoconiosispneumonoultrami-diagnosis"},
    {"Create a refund scenario with an angry customer", "Refund Scenario with Angry Customer",
     "refund-scenario-with-angry-customer"},
    {"Give bad news to a patient's family", "Give Bad News to Patient's Family",
     "give-bad-news-to-patients-family"},
    {"it director worried about gdpr and hipaa", "IT Director Worried About GDPR and HIPAA",
     "it-director-worried-about-gdpr-and-hipaa"},
    {"booking_cancellation", "Booking Cancellation", "booking-cancellation"},
    {"Can you make a scenario about a landlord refusing to return a deposit?",
     "Landlord Refusing to Return Deposit", "landlord-refusing-to-return-deposit"},
    {"Write me a realistic scenario for practicing active listening", "Practicing Active Listening",
     "practicing-active-listening"},
    {"Simulate a performance review between a manager and an underperforming employee",
     "Performance Review Between Manager and Underperforming Employee",
     "performance-review-between-manager-and-underperforming-employee"},
    {"I want to practise saying no to my boss", "Saying No to Boss", "saying-no-to-boss"},
    {"Hello! I'm a nurse and I need to practice breaking bad news to a patient's family.",
     "Nurse: Breaking Bad News to Patient's Family", "nurse-breaking-bad-news-to-patients-family"},
    {"Role-play: hostage negotiation", "Hostage Negotiation", "hostage-negotiation"},
    {"Sell me this pen", "Sell Me This Pen", "sell-me-this-pen"},
    {"Build a scenario to help reps handle price objections", "Help Reps Handle Price Objections",
     "help-reps-handle-price-objections"},
    {"I would like a scenario where I have to fire an underperforming employee.",
     "Fire Underperforming Employee", "fire-underperforming-employee"},
    {"The user wants to cancel their subscription because the price went up",
     "User Wants to Cancel Their Subscription", "user-wants-to-cancel-their-subscription"},
    {"Job interview for a senior backend engineer at a startup",
     "Job Interview for Senior Backend Engineer at Startup",
     "job-interview-for-senior-backend-engineer-at-startup"},
    {"Customer wants to cancel a haircut appointment for tomorrow. They have a scheduling conflict.",
     "Customer Wants to Cancel Haircut Appointment for Tomorrow",
     "customer-wants-to-cancel-haircut-appointment-for-tomorrow"},
    {"booking-cancellation", "Booking-Cancellation", "booking-cancellation"},
    {"Wie führe ich ein Kündigungsgespräch mit einem Mitarbeiter?",
     "Wie Führe Ich ein Kündigungsgespräch mit einem Mitarbeiter",
     "wie-fuhre-ich-ein-kundigungsgesprach-mit-einem-mitarbeiter"},
    {"Ich möchte ein Verkaufsgespräch mit einem schwierigen Kunden üben",
     "Verkaufsgespräch mit einem Schwierigen Kunden",
     "verkaufsgesprach-mit-einem-schwierigen-kunden"},
    {"Zażółć gęślą jaźń", "Zażółć Gęślą Jaźń", "zazolc-gesla-jazn"},
    {"Æsop's Straße über Łódź", "Æsop's Straße über Łódź", "aesops-strasse-uber-lodz"},
    {"Create a conversation with a customer named Søren who lives in Malmö",
     "Conversation with Customer Named Søren", "conversation-with-customer-named-soren"},
    {"Préparez-moi une simulation d'entretien d'embauche pour un poste de développeur",
     "Entretien d'Embauche pour Poste de Développeur",
     "entretien-dembauche-pour-poste-de-developpeur"},
    {"👩‍⚕️", "👩‍⚕️", NULL},
    {"€€€", "€€€", NULL},
    {"١٢٣", "١٢٣", NULL},
    {"Create a high-stakes negotiation scenario between a union representative and a plant manager over overtime pay",
     "High-Stakes Negotiation Between Union Representative and Plant Manager",
     "high-stakes-negotiation-between-union-representative-and-plant-manager"},
    {"Create", "Create", "create"},
    {"please", "Please", "please"},
    {"with", "With", "with"},
    {"the", "The", "the"},
    {"Follow up with", "Follow Up", "follow-up"},
    {"A", "A", "a"},
    {"i", "I", "i"},
    {"Create a discovery call with", "Discovery Call", "discovery-call"},
    {"Café meeting", "Café Meeting", "cafe-meeting"},
    {"CREATE A SCENARIO", "Create a Scenario", "create-a-scenario"},
    {"I NEED A SCENARIO ABOUT AN ANGRY CUSTOMER", "Angry Customer", "angry-customer"},
    {"angry customer", "Angry Customer", "angry-customer"},
    {"Create a follow-up call scenario with the procurement manager of a hospital group regarding contract renewal",
     "Follow-Up Call with Procurement Manager of Hospital Group",
     "follow-up-call-with-procurement-manager-of-hospital-group"},
};

static const char *const nameless[] = {
    "",
    " \t\r\n",
    "... --- !!!",
    "$ + ~ | ^ < = > `",
    "¿?¡! «» — … “”",
    "。、！？「」",
    "\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xae", /* zero width space, BOM, right-to-left override */
    "\xe2\x94\x80\xe2\x94\x80",             /* a rule of box lines */
    "\xcc\x81\xcc\x81",                     /* accents on nothing */
    "\xe3\x85\xa4\xe2\xa0\x80",             /* Hangul filler, Braille blank */
    "\x01\x1b\x7f",
};

START_TEST(test_name)
{
    char name[GENERATOR_NAME_SIZE], slug[GENERATOR_SLUG_SIZE];
    const char *prompt = cases[_i].prompt;
    ck_assert_msg(generator_can_name(prompt, strlen(prompt)), "%s", prompt);
    generator_name(prompt, strlen(prompt), name);
    ck_assert_str_eq(name, cases[_i].name);
    ck_assert_msg(generator_slug(name, slug) == (cases[_i].slug != NULL), "slug of %s", name);
    if (cases[_i].slug)
        ck_assert_str_eq(slug, cases[_i].slug);
}
END_TEST

START_TEST(test_nameless)
{
    ck_assert_msg(!generator_can_name(nameless[_i], strlen(nameless[_i])), "%s", nameless[_i]);
}
END_TEST

START_TEST(test_slug_of_other_names)
{
    char slug[GENERATOR_SLUG_SIZE] = "untouched";
    ck_assert(!generator_slug("", slug));
    ck_assert(!generator_slug("— !", slug));
    ck_assert(!generator_slug("处理客户投诉 A", slug));
    ck_assert_str_eq(slug, "untouched");
    ck_assert(generator_slug("Þór, Đặng & Œuvre: ﬁt ＡＢ½", slug));
    ck_assert_str_eq(slug, "thor-dang-and-oeuvre-fit-ab1-2");
}
END_TEST

/* A slug too long loses whole words; one word too long is cut. */
START_TEST(test_slug_is_bounded)
{
    char name[GENERATOR_NAME_SIZE], slug[GENERATOR_SLUG_SIZE];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    ck_assert(generator_slug(name, slug));
    ck_assert_uint_eq(strlen(slug), GENERATOR_SLUG_SIZE - 1);
    name[100] = ' ';
    ck_assert(generator_slug(name, slug));
    ck_assert_uint_eq(strlen(slug), 100);
}
END_TEST

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void check_characters(const char *name)
{
    const uint8_t *at = (const uint8_t *)name;
    ucs4_t c;
    for (int used; (used = u8_strmbtouc(&c, at)) > 0; at += used)
        ck_assert_msg(c == 0x200c || c == 0x200d ||
                          !uc_is_general_category_withtable(
                              c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Zl |
                                     UC_CATEGORY_MASK_Zp | UC_CATEGORY_MASK_Cs),
                      "U+%04X in %s", (unsigned)c, name);
}

static void check_slug(const char *slug)
{
    size_t len = strlen(slug);
    ck_assert(len > 0 && len < GENERATOR_SLUG_SIZE);
    ck_assert_uint_eq(strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-"), len);
    ck_assert(slug[0] != '-' && slug[len - 1] != '-' && !strstr(slug, "--"));
}

static void check_properties(const char *prompt, size_t len)
{
    char name[GENERATOR_NAME_SIZE], again[GENERATOR_NAME_SIZE], slug[GENERATOR_SLUG_SIZE];
    memset(name, 'x', sizeof name);
    memset(again, 'y', sizeof again);
    generator_name(prompt, len, name);
    generator_name(prompt, len, again);
    ck_assert(memchr(name, '\0', sizeof name));
    ck_assert_str_eq(name, again);
    ck_assert_uint_gt(strlen(name), 0);
    ck_assert_ptr_null(u8_check((const uint8_t *)name, strlen(name)));
    ck_assert(name[0] != ' ' && name[strlen(name) - 1] != ' ' && !strstr(name, "  "));
    check_characters(name);
    size_t words = 1;
    for (const char *at = name; (at = strchr(at, ' ')); at++)
        words++;
    ck_assert_uint_le(words, 8);
    if (generator_slug(name, slug))
        check_slug(slug);
}

/* Where the next code point comes from: any, or those that make trouble, or words of the rules. */
static size_t random_piece(uint64_t *state, char *at)
{
    static const char *const pieces[] = {
        "create",
        "a",
        "scenario",
        "with",
        "the",
        "who",
        " ",
        " ",
        " ",
        "\n",
        ". ",
        ", ",
        ": ",
        "(",
        ")",
        "<b>",
        "](",
        "http://x",
        "@",
        "&",
        "'",
        "-",
        "d'",
        "it",
        "IT",
        "A",
        "# ",
        "1. ",
        "\"",
        "\xe2\x80\x8d",
        "\xe2\x80\x8c",
        "\xcc\x81",
        "\xe2\x80\xae",
        "\xef\xb8\x8f",
        "\xf0\x9f\x8e\x89",
        "\xe7\x9a\x84",
        "\xe5\x9c\xba\xe6\x99\xaf",
        "\xe3\x81\xae",
        "\xe0\xb9\x80",
        "\xe0\xb8\x81",
        "\xe1\x84\x80",
        "\xc3\x9f",
        "i\xcc\x87",
        "\xef\xac\x83",
        "\xef\xb7\xba",
        "un",
        "de",
        "und",
    };
    uint64_t draw = random_next(state);
    if (draw % 8 < 6) {
        const char *piece = pieces[(draw >> 8) % (sizeof pieces / sizeof pieces[0])];
        memcpy(at, piece, strlen(piece));
        return strlen(piece);
    }
    ucs4_t c = (ucs4_t)((draw >> 8) % (draw & 64 ? 0x110000 : 0x3000));
    int used = c ? u8_uctomb((uint8_t *)at, c, 6) : 0;
    return used > 0 ? (size_t)used : 0;
}

START_TEST(test_properties)
{
    uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
    for (int round = 0; round < 2000; round++) {
        char prompt[3000];
        size_t limit = random_next(&state) % (round % 20 ? 120 : 2800), len = 0;
        while (len < limit)
            len += random_piece(&state, prompt + len);
        if (generator_can_name(prompt, len))
            check_properties(prompt, len);
    }
}
END_TEST

static void fill(char *prompt, size_t len, const char *with)
{
    size_t size = strlen(with);
    for (size_t at = 0; at + size <= len; at += size)
        memcpy(prompt + at, with, size);
}

/* Whatever fills a megabyte, the name is one, and it comes at once. */
START_TEST(test_long_prompts)
{
    static const char *const fills[] = {
        "a",
        "(",
        "<a",
        "](",
        "#\n",
        "'",
        "\xcc\x81",
        "\xe2\x80\x8b",
        "\xf0\x9f\x8e\x89",
        "\xe5\xae\xa2",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d",
        "scenario ",
        "create ",
        "a. ",
        "x, ",
        "with ",
        "http://",
        "and i ",
        "\xe1\x84\x80",
        "role play ",
    };
    size_t len = 1 << 20;
    char *prompt = malloc(len + 8);
    ck_assert_ptr_nonnull(prompt);
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
        memset(prompt, ' ', len + 8);
        fill(prompt, len, fills[i]);
        memcpy(prompt + len, " refund", 7);
        check_properties(prompt, len + 7);
    }
    free(prompt);
}
END_TEST

/* A word too long is cut between characters: none of these loses its accent. */
START_TEST(test_long_word_keeps_characters)
{
    char prompt[400], name[GENERATOR_NAME_SIZE];
    for (size_t shift = 0; shift < 4; shift++) {
        size_t len = shift;
        memset(prompt, 'x', shift);
        while (len + 4 < sizeof prompt) {
            memcpy(prompt + len, "q\xcc\x82", 3);
            len += 3;
        }
        generator_name(prompt, len, name);
        ck_assert_uint_gt(strlen(name), 50);
        ck_assert_str_eq(name + strlen(name) - 3, "q\xcc\x82");
    }
}
END_TEST

/* What stands before the first word is no part of the window. */
START_TEST(test_late_start)
{
    char prompt[9000], name[GENERATOR_NAME_SIZE];
    memset(prompt, '.', sizeof prompt);
    memcpy(prompt + 8000, " refund call ", 13);
    generator_name(prompt, sizeof prompt, name);
    ck_assert_str_eq(name, "Refund Call");
}
END_TEST

START_TEST(test_enough_cases)
{
    ck_assert_uint_ge(sizeof cases / sizeof cases[0], 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generator");
    TCase *table = tcase_create("S24: names and slugs");
    tcase_add_loop_test(table, test_name, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(table, test_enough_cases);
    tcase_add_test(table, test_slug_of_other_names);
    tcase_add_test(table, test_slug_is_bounded);
    suite_add_tcase(suite, table);
    TCase *none = tcase_create("S23: nothing to name");
    tcase_add_loop_test(none, test_nameless, 0, sizeof nameless / sizeof nameless[0]);
    suite_add_tcase(suite, none);
    TCase *any = tcase_create("S24: any prompt");
    /* Sanitizers and a loaded machine make it ten times slower than it is. */
    tcase_set_timeout(any, 60);
    tcase_add_loop_test(any, test_properties, 0, 4);
    tcase_add_test(any, test_long_prompts);
    tcase_add_test(any, test_late_start);
    tcase_add_test(any, test_long_word_keeps_characters);
    suite_add_tcase(suite, any);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
