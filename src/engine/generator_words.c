/* The tables, and an index over them.
 *
 * A row lists the words of one kind in one language, since that is how people think of them and add
 * to them; "_" joins the words of a phrase. A hash over all rows is built on first use, once per
 * process, so that finding a word costs the same however many languages there are. A word of two
 * kinds stands in two rows, or in one row with both classes. */
#include "engine/generator_words.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

struct row {
    enum language language;
    uint32_t classes;
    const char *words;
};

/* clang-format off */
static const struct row rows[] = {
    { LANGUAGE_ENGLISH, WORD_GREETING, "hi hello hey hiya howdy greetings dear good_morning "
        "good_afternoon good_evening" },
    { LANGUAGE_ENGLISH, WORD_POLITE, "please kindly thanks thank_you thx pls" },
    { LANGUAGE_ENGLISH, WORD_PRONOUN, "i we you" },
    { LANGUAGE_ENGLISH, WORD_OPENER, "i'd we'd i'm we're you're i'll we'll you'll i've we've let's "
        "lets imagine pretend suppose assume act_as help_me_with help_us_with help_me help_us "
        "help_with there_is there's here_is here's play_the_role_of" },
    { LANGUAGE_ENGLISH, WORD_AUX, "can could would will should must may might do have had shall" },
    { LANGUAGE_ENGLISH, WORD_WANT, "need want like love wish require looking_for" },
    { LANGUAGE_ENGLISH, WORD_AUX, "am are be is was were" },
    { LANGUAGE_ENGLISH, WORD_VERB, "create generate produce simulate creating generating" },
    { LANGUAGE_ENGLISH, WORD_WEAK, "make build write design draft develop prepare give show provide "
        "compose construct craft play set_up come_up_with put_together plan model run start do" },
    { LANGUAGE_ENGLISH, WORD_DRILL, "practice practise rehearse role-play roleplay role_play" },
    { LANGUAGE_ENGLISH, WORD_ME, "me us" },
    { LANGUAGE_ENGLISH, WORD_TO, "to of" },
    { LANGUAGE_ENGLISH, WORD_DET | WORD_ARTICLE, "a an the my our" },
    { LANGUAGE_ENGLISH, WORD_DET, "your some another this" },
    { LANGUAGE_ENGLISH, WORD_FILLER, "new realistic quick short simple brief detailed custom "
        "complete full good nice interactive sample example basic practice practise" },
    { LANGUAGE_ENGLISH, WORD_SCAFFOLD, "scenario scenarios role-play role-plays roleplay roleplays "
        "role_play role_plays role-playing role_playing roleplaying simulation simulations" },
    { LANGUAGE_ENGLISH, WORD_LINK, "for about of on where with involving featuring between called "
        "named titled that which when in_which based_on set_in set_at around regarding concerning "
        "to" },
    { LANGUAGE_ENGLISH, WORD_LINKVERB, "tests trains teaches covers simulates involves shows "
        "explores practices features focuses_on is_about deals_with revolves_around" },
    { LANGUAGE_ENGLISH, WORD_LABEL, "title name topic prompt task goal goals objective objectives "
        "background context overview introduction description summary subject instruction "
        "instructions theme situation request setting" },
    { LANGUAGE_ENGLISH, WORD_RELATIVE, "who whom whose which that where when while because since so "
        "if although though but until unless whether in_which in_order e.g i.e e.g. i.e. etc" },
    { LANGUAGE_ENGLISH, WORD_SMALL, "a an the and or nor but of to as per via" },
    { LANGUAGE_ENGLISH, WORD_SMALL | WORD_WITH, "with vs" },
    { LANGUAGE_ENGLISH, WORD_WITH, "between versus against" },
    { LANGUAGE_ENGLISH, WORD_ABOUT, "about regarding concerning over around" },
    { LANGUAGE_ENGLISH, WORD_SMALL | WORD_FOR, "for" },
    { LANGUAGE_ENGLISH, WORD_SMALL | WORD_PLACE, "at in on from by" },
    { LANGUAGE_ENGLISH, WORD_PLACE, "during after before under via through into within without "
        "across near despite among toward towards inside outside onto upon to" },
    { LANGUAGE_ENGLISH, WORD_AND, "and or &" },
    { LANGUAGE_ENGLISH, WORD_PARTICLE, "in on up off out over by down" },
    { LANGUAGE_ENGLISH, WORD_ABBREVIATION, "mr mrs ms dr prof inc ltd corp jr sr st vs approx dept" },
    { LANGUAGE_ENGLISH, WORD_HEAD, "call calls meeting interview conversation negotiation review demo "
        "pitch discussion presentation session chat training consultation onboarding coaching debate "
        "briefing visit appointment" },
    { LANGUAGE_ENGLISH, WORD_IT_NOUN, "director directors manager managers department team teams "
        "support security infrastructure administrator admin lead leader leaders professional "
        "professionals consultant systems service services specialist executive staff vendor project "
        "projects operations procurement buyer buyers helpdesk architect engineer officer budget "
        "decision-maker stakeholder stakeholders" },
    { LANGUAGE_ENGLISH, WORD_SPELLING, "CRM SaaS PaaS HR CEO CTO CFO CIO CISO COO CMO CPO VP API APIs "
        "SQL AWS B2B B2C USA UK EU GDPR HIPAA ERP KPI KPIs ROI SDR BDR NDA RFP UI UX AI ML LLM IoT VPN "
        "DevOps iPhone iPad GitHub GitLab LinkedIn HubSpot YouTube PayPal macOS iOS SLA PTO TCO POC "
        "MVP QBR ICU FAQ SEO PDF VIP NHS IT's" },

    { LANGUAGE_FRENCH, WORD_GREETING, "bonjour salut bonsoir" },
    { LANGUAGE_FRENCH, WORD_POLITE, "svp merci s'il_vous_plaît s'il_te_plaît" },
    { LANGUAGE_FRENCH, WORD_PRONOUN, "je nous vous tu on" },
    { LANGUAGE_FRENCH, WORD_OPENER, "j'ai_besoin_de j'ai_besoin j'aimerais je_voudrais je_veux "
        "je_souhaite j'aimerais_avoir nous_voudrions nous_souhaitons nous_avons_besoin pouvez-vous "
        "pourriez-vous peux-tu pourrais-tu il_me_faut il_nous_faut imagine imaginez" },
    { LANGUAGE_FRENCH, WORD_AUX, "peux pouvez pourriez pourrais avoir" },
    { LANGUAGE_FRENCH, WORD_VERB, "crée créer créez créons crée-moi créez-moi cree creer creez génère "
        "générer générez fais faites faire fais-moi faites-moi prépare préparez préparer prépare-moi préparez-moi génère-moi générez-moi "
        "écris-moi écrivez-moi rédige-moi rédigez-moi rédige rédigez "
        "rédiger construis construisez écris écrivez écrire conçois concevez imaginer simule simulez "
        "simuler élabore élaborez" },
    { LANGUAGE_FRENCH, WORD_ME, "me nous moi" },
    { LANGUAGE_FRENCH, WORD_TO, "de" },
    { LANGUAGE_FRENCH, WORD_DET | WORD_SMALL, "le la les des" },
    { LANGUAGE_FRENCH, WORD_DET | WORD_SMALL | WORD_ARTICLE, "un une" },
    { LANGUAGE_FRENCH, WORD_DET, "d'un d'une mon ma mes notre nos" },
    { LANGUAGE_FRENCH, WORD_FILLER, "nouveau nouvelle court petit réaliste" },
    { LANGUAGE_FRENCH, WORD_SCAFFOLD, "scénario scénarios scenario simulation jeu_de_rôle" },
    { LANGUAGE_FRENCH, WORD_LINK, "de pour avec sur où dans_lequel entre du concernant intitulé qui "
        "d'un d'une" },
    { LANGUAGE_FRENCH, WORD_RELATIVE, "qui que dont où lorsque quand parce afin car mais lequel" },
    { LANGUAGE_FRENCH, WORD_SMALL, "de du à au aux en et ou d'un d'une" },
    { LANGUAGE_FRENCH, WORD_SMALL | WORD_WITH, "avec" },
    { LANGUAGE_FRENCH, WORD_WITH, "entre contre" },
    { LANGUAGE_FRENCH, WORD_SMALL | WORD_ABOUT, "sur" },
    { LANGUAGE_FRENCH, WORD_SMALL | WORD_FOR, "pour" },
    { LANGUAGE_FRENCH, WORD_SMALL | WORD_PLACE, "dans chez par" },
    { LANGUAGE_FRENCH, WORD_AND, "et ou" },

    { LANGUAGE_GERMAN, WORD_GREETING, "hallo guten_tag guten_morgen" },
    { LANGUAGE_GERMAN, WORD_POLITE, "bitte danke" },
    { LANGUAGE_GERMAN, WORD_PRONOUN, "ich wir sie du ihr" },
    { LANGUAGE_GERMAN, WORD_AUX, "kannst können könnten könntest hätte hätten gern gerne haben" },
    { LANGUAGE_GERMAN, WORD_WANT, "möchte möchten brauche brauchen will wollen benötige benötigen" },
    { LANGUAGE_GERMAN, WORD_VERB, "erstelle erstell erstellen erstellt erzeuge erzeugen generiere "
        "generieren schreibe schreib schreiben baue bauen mach mache machen entwirf entwerfen "
        "entwickle entwickeln simuliere simulieren gestalte" },
    { LANGUAGE_GERMAN, WORD_ME, "mir uns sie" },
    { LANGUAGE_GERMAN, WORD_DET | WORD_SMALL, "ein eine einen einem einer eines der die das den dem" },
    { LANGUAGE_GERMAN, WORD_DET, "mein meine meinen unser unsere unseren" },
    { LANGUAGE_GERMAN, WORD_FILLER, "neues neue kurzes realistisches einfaches" },
    { LANGUAGE_GERMAN, WORD_SCAFFOLD, "szenario szenarien szenarios rollenspiel simulation" },
    { LANGUAGE_GERMAN, WORD_LINK, "für mit über zu zum zur von in_dem bei wo zwischen namens" },
    { LANGUAGE_GERMAN, WORD_RELATIVE, "welcher welche welches weil damit wenn dass aber wo wobei" },
    { LANGUAGE_GERMAN, WORD_SMALL, "und oder zu von des im am" },
    { LANGUAGE_GERMAN, WORD_SMALL | WORD_WITH, "mit" },
    { LANGUAGE_GERMAN, WORD_WITH, "zwischen gegen" },
    { LANGUAGE_GERMAN, WORD_SMALL | WORD_ABOUT, "über" },
    { LANGUAGE_GERMAN, WORD_SMALL | WORD_FOR, "für zum zur" },
    { LANGUAGE_GERMAN, WORD_SMALL | WORD_PLACE, "in bei aus an auf nach" },
    { LANGUAGE_GERMAN, WORD_AND, "und oder" },
    { LANGUAGE_GERMAN, WORD_TRAIL, "erstellen haben üben führen erzeugen" },

    { LANGUAGE_SPANISH, WORD_GREETING, "hola buenos_días buenas_tardes" },
    { LANGUAGE_SPANISH, WORD_POLITE, "por_favor gracias" },
    { LANGUAGE_SPANISH, WORD_OPENER, "quiero queremos necesito necesitamos quisiera quisiéramos "
        "me_gustaría nos_gustaría puedes puede podrías podría podéis imagina" },
    { LANGUAGE_SPANISH, WORD_VERB, "crea crear cree créame créeme genera generar genere haz hacer haga "
        "hazme escribe escribir escriba prepara preparar prepare diseña diseñar diseñe construye simula "
        "simular elabora elaborar desarrolla tener" },
    { LANGUAGE_SPANISH, WORD_ME, "me nos" },
    { LANGUAGE_SPANISH, WORD_DET | WORD_SMALL, "unos unas el la los las" },
    { LANGUAGE_SPANISH, WORD_DET | WORD_SMALL | WORD_ARTICLE, "un una" },
    { LANGUAGE_SPANISH, WORD_DET, "mi nuestro nuestra" },
    { LANGUAGE_SPANISH, WORD_FILLER, "nuevo corto breve realista" },
    { LANGUAGE_SPANISH, WORD_SCAFFOLD, "escenario escenarios simulación juego_de_rol juego_de_roles" },
    { LANGUAGE_SPANISH, WORD_LINK, "de para con sobre donde en_el_que entre del llamado que" },
    { LANGUAGE_SPANISH, WORD_RELATIVE, "que quien quienes donde cuando porque pero cual cuyo" },
    { LANGUAGE_SPANISH, WORD_SMALL, "de del y o e a al" },
    { LANGUAGE_SPANISH, WORD_SMALL | WORD_WITH, "con" },
    { LANGUAGE_SPANISH, WORD_WITH, "entre contra" },
    { LANGUAGE_SPANISH, WORD_SMALL | WORD_ABOUT, "sobre" },
    { LANGUAGE_SPANISH, WORD_SMALL | WORD_FOR, "para por" },
    { LANGUAGE_SPANISH, WORD_SMALL | WORD_PLACE, "en desde" },
    { LANGUAGE_SPANISH, WORD_AND, "y o" },

    { LANGUAGE_PORTUGUESE, WORD_GREETING, "olá oi bom_dia boa_tarde" },
    { LANGUAGE_PORTUGUESE, WORD_POLITE, "por_favor obrigado obrigada" },
    { LANGUAGE_PORTUGUESE, WORD_OPENER, "quero queremos preciso_de precisamos_de preciso precisamos "
        "gostaria_de gostaríamos_de você_pode você_poderia pode poderia eu_quero eu_preciso_de "
        "eu_gostaria_de imagine" },
    { LANGUAGE_PORTUGUESE, WORD_VERB, "crie criar cria gere gerar faça fazer escreva escrever prepare "
        "preparar desenvolva desenvolver construa elabore simule simular ter" },
    { LANGUAGE_PORTUGUESE, WORD_ME, "me nos" },
    { LANGUAGE_PORTUGUESE, WORD_DET | WORD_SMALL, "uns umas o a os as" },
    { LANGUAGE_PORTUGUESE, WORD_DET | WORD_SMALL | WORD_ARTICLE, "um uma" },
    { LANGUAGE_PORTUGUESE, WORD_DET, "meu minha nosso nossa" },
    { LANGUAGE_PORTUGUESE, WORD_FILLER, "novo curto breve realista" },
    { LANGUAGE_PORTUGUESE, WORD_SCAFFOLD, "cenário cenários simulação" },
    { LANGUAGE_PORTUGUESE, WORD_LINK, "de para com sobre onde em_que entre do da chamado que" },
    { LANGUAGE_PORTUGUESE, WORD_RELATIVE, "que quem onde quando porque mas cujo" },
    { LANGUAGE_PORTUGUESE, WORD_SMALL, "de do da dos das e ou ao à" },
    { LANGUAGE_PORTUGUESE, WORD_SMALL | WORD_WITH, "com" },
    { LANGUAGE_PORTUGUESE, WORD_WITH, "entre contra" },
    { LANGUAGE_PORTUGUESE, WORD_SMALL | WORD_ABOUT, "sobre" },
    { LANGUAGE_PORTUGUESE, WORD_SMALL | WORD_FOR, "para por" },
    { LANGUAGE_PORTUGUESE, WORD_SMALL | WORD_PLACE, "em no na nos nas" },
    { LANGUAGE_PORTUGUESE, WORD_AND, "e ou" },

    { LANGUAGE_ITALIAN, WORD_GREETING, "ciao buongiorno salve" },
    { LANGUAGE_ITALIAN, WORD_POLITE, "per_favore per_piacere grazie" },
    { LANGUAGE_ITALIAN, WORD_OPENER, "voglio vogliamo vorrei vorremmo puoi può potresti potrebbe "
        "ho_bisogno_di abbiamo_bisogno_di mi_serve ci_serve immagina" },
    { LANGUAGE_ITALIAN, WORD_VERB, "crea creare creami genera generare scrivi scrivere prepara preparare "
        "costruisci fai fare fammi progetta sviluppa simula simulare elabora avere" },
    { LANGUAGE_ITALIAN, WORD_DET | WORD_SMALL, "il lo la gli le i" },
    { LANGUAGE_ITALIAN, WORD_DET | WORD_SMALL | WORD_ARTICLE, "un uno una" },
    { LANGUAGE_ITALIAN, WORD_DET, "un'" },
    { LANGUAGE_ITALIAN, WORD_FILLER, "nuovo breve realistico" },
    { LANGUAGE_ITALIAN, WORD_SCAFFOLD, "scenario scenari simulazione gioco_di_ruolo" },
    { LANGUAGE_ITALIAN, WORD_LINK, "di per con su dove in_cui tra fra del della chiamato che" },
    { LANGUAGE_ITALIAN, WORD_RELATIVE, "che cui dove quando perché ma quale" },
    { LANGUAGE_ITALIAN, WORD_SMALL, "di del della dei delle e o al alla da dal" },
    { LANGUAGE_ITALIAN, WORD_SMALL | WORD_WITH, "con" },
    { LANGUAGE_ITALIAN, WORD_WITH, "tra fra contro" },
    { LANGUAGE_ITALIAN, WORD_SMALL | WORD_ABOUT, "su sul sulla" },
    { LANGUAGE_ITALIAN, WORD_SMALL | WORD_FOR, "per" },
    { LANGUAGE_ITALIAN, WORD_SMALL | WORD_PLACE, "in nel nella" },
    { LANGUAGE_ITALIAN, WORD_AND, "e o" },

    { LANGUAGE_DUTCH, WORD_GREETING, "hallo hoi goedemorgen goedemiddag" },
    { LANGUAGE_DUTCH, WORD_POLITE, "alsjeblieft alstublieft graag bedankt" },
    { LANGUAGE_DUTCH, WORD_PRONOUN, "ik wij we u je jij jullie" },
    { LANGUAGE_DUTCH, WORD_AUX, "kun kan kunt kunnen zou zouden heb hebben" },
    { LANGUAGE_DUTCH, WORD_WANT, "wil willen nodig" },
    { LANGUAGE_DUTCH, WORD_VERB, "maak maken creëer creëren genereer genereren schrijf schrijven bouw "
        "bouwen ontwikkel ontwerp simuleer" },
    { LANGUAGE_DUTCH, WORD_ME, "mij ons" },
    { LANGUAGE_DUTCH, WORD_DET | WORD_SMALL, "een de het" },
    { LANGUAGE_DUTCH, WORD_DET, "mijn onze" },
    { LANGUAGE_DUTCH, WORD_FILLER, "nieuw kort realistisch" },
    { LANGUAGE_DUTCH, WORD_SCAFFOLD, "scenario scenario's rollenspel simulatie" },
    { LANGUAGE_DUTCH, WORD_LINK, "voor met over van waarin waarbij tussen genaamd" },
    { LANGUAGE_DUTCH, WORD_RELATIVE, "die dat waar waarin waarbij omdat maar wanneer als" },
    { LANGUAGE_DUTCH, WORD_SMALL, "en of van te" },
    { LANGUAGE_DUTCH, WORD_SMALL | WORD_WITH, "met" },
    { LANGUAGE_DUTCH, WORD_WITH, "tussen tegen" },
    { LANGUAGE_DUTCH, WORD_SMALL | WORD_ABOUT, "over" },
    { LANGUAGE_DUTCH, WORD_SMALL | WORD_FOR, "voor" },
    { LANGUAGE_DUTCH, WORD_SMALL | WORD_PLACE, "in bij uit op aan door" },
    { LANGUAGE_DUTCH, WORD_AND, "en of" },
    { LANGUAGE_DUTCH, WORD_TRAIL, "nodig maken oefenen" },

    /* Where "scenario of a …" puts what follows into another case, "scenario" stays. */
    { LANGUAGE_POLISH, WORD_VERB, "stwórz utwórz przygotuj wygeneruj napisz zaprojektuj opracuj "
        "potrzebuję chcę chciałbym chciałabym" },
    { LANGUAGE_POLISH, WORD_POLITE, "proszę dziękuję" },
    { LANGUAGE_POLISH, WORD_GREETING, "cześć witam dzień_dobry" },
    { LANGUAGE_POLISH, WORD_RELATIVE, "który która które którzy gdzie ponieważ ale" },
    { LANGUAGE_POLISH, WORD_SMALL | WORD_WITH, "z ze" },
    { LANGUAGE_POLISH, WORD_SMALL | WORD_FOR, "dla" },
    { LANGUAGE_POLISH, WORD_SMALL | WORD_ABOUT, "o" },
    { LANGUAGE_POLISH, WORD_SMALL | WORD_PLACE, "w we na od do po" },
    { LANGUAGE_POLISH, WORD_SMALL | WORD_AND, "i oraz lub" },

    { LANGUAGE_TURKISH, WORD_TRAIL, "oluştur oluşturun hazırla hazırlayın yaz yazın yap yapın lütfen "
        "senaryosu senaryo istiyorum oluşturur_musun" },
    { LANGUAGE_TURKISH, WORD_POLITE, "lütfen" },
    { LANGUAGE_TURKISH, WORD_GREETING, "merhaba selam" },
    { LANGUAGE_TURKISH, WORD_DET | WORD_SMALL, "bir" },
    { LANGUAGE_TURKISH, WORD_SMALL, "ve veya ile için de da" },

    { LANGUAGE_VIETNAMESE, WORD_VERB, "tạo hãy viết" },
    { LANGUAGE_VIETNAMESE, WORD_GREETING, "xin_chào" },
    { LANGUAGE_VIETNAMESE, WORD_OPENER, "tôi_cần tôi_muốn vui_lòng xin_hãy" },
    { LANGUAGE_VIETNAMESE, WORD_DET, "một" },
    { LANGUAGE_VIETNAMESE, WORD_SCAFFOLD, "kịch_bản tình_huống" },
    { LANGUAGE_VIETNAMESE, WORD_LINK, "về cho với" },
    { LANGUAGE_VIETNAMESE, WORD_SMALL | WORD_WITH, "với" },
    { LANGUAGE_VIETNAMESE, WORD_SMALL | WORD_FOR, "cho" },
    { LANGUAGE_VIETNAMESE, WORD_SMALL | WORD_ABOUT, "về" },
    { LANGUAGE_VIETNAMESE, WORD_SMALL, "và của" },
    { LANGUAGE_VIETNAMESE, WORD_RELATIVE, "người_đang" },

    { LANGUAGE_RUSSIAN, WORD_VERB, "создай создайте сделай сделайте напиши напишите сгенерируй "
        "сгенерируйте разработай разработайте подготовь подготовьте придумай придумайте" },
    { LANGUAGE_RUSSIAN, WORD_OPENER, "мне_нужен мне_нужна мне_нужно нам_нужен я_хочу" },
    { LANGUAGE_RUSSIAN, WORD_POLITE, "пожалуйста спасибо" },
    { LANGUAGE_RUSSIAN, WORD_GREETING, "привет здравствуйте добрый_день" },
    { LANGUAGE_RUSSIAN, WORD_RELATIVE, "который которая которое которые где потому но" },
    { LANGUAGE_RUSSIAN, WORD_SMALL | WORD_WITH, "с со" },
    { LANGUAGE_RUSSIAN, WORD_SMALL | WORD_FOR, "для" },
    { LANGUAGE_RUSSIAN, WORD_SMALL | WORD_ABOUT, "о об" },
    { LANGUAGE_RUSSIAN, WORD_SMALL | WORD_PLACE, "в во на от из по" },
    { LANGUAGE_RUSSIAN, WORD_SMALL | WORD_AND, "и или" },

    { LANGUAGE_GREEK, WORD_VERB, "δημιούργησε δημιουργήστε φτιάξε φτιάξτε γράψε γράψτε" },
    { LANGUAGE_GREEK, WORD_POLITE, "παρακαλώ ευχαριστώ" },
    { LANGUAGE_GREEK, WORD_DET | WORD_SMALL, "ένα έναν μια μία ο η το τον την του της" },
    { LANGUAGE_GREEK, WORD_SCAFFOLD, "σενάριο" },
    { LANGUAGE_GREEK, WORD_LINK, "για με σχετικά_με" },
    { LANGUAGE_GREEK, WORD_RELATIVE, "που όπου όταν" },
    { LANGUAGE_GREEK, WORD_SMALL | WORD_WITH, "με" },
    { LANGUAGE_GREEK, WORD_SMALL | WORD_FOR, "για" },
    { LANGUAGE_GREEK, WORD_SMALL, "και σε από" },

    { LANGUAGE_ARABIC, WORD_VERB, "أنشئ أنشئي اكتب اصنع صمم" },
    { LANGUAGE_ARABIC, WORD_POLITE, "من_فضلك رجاء شكرا" },
    { LANGUAGE_ARABIC, WORD_GREETING, "مرحبا" },
    { LANGUAGE_ARABIC, WORD_SCAFFOLD, "سيناريو" },
    { LANGUAGE_ARABIC, WORD_LINK, "عن حول مع" },
    { LANGUAGE_ARABIC, WORD_RELATIVE, "الذي التي حيث" },
    { LANGUAGE_ARABIC, WORD_SMALL | WORD_WITH, "مع" },
    { LANGUAGE_ARABIC, WORD_SMALL | WORD_PLACE, "في من على" },

    { LANGUAGE_HEBREW, WORD_VERB, "צור צרי כתוב כתבי" },
    { LANGUAGE_HEBREW, WORD_POLITE, "בבקשה תודה" },
    { LANGUAGE_HEBREW, WORD_GREETING, "שלום" },
    { LANGUAGE_HEBREW, WORD_SCAFFOLD, "תרחיש" },
    { LANGUAGE_HEBREW, WORD_LINK, "של על עם" },
    { LANGUAGE_HEBREW, WORD_SMALL | WORD_WITH, "עם" },
    { LANGUAGE_HEBREW, WORD_SMALL | WORD_ABOUT, "על" },
    { LANGUAGE_HEBREW, WORD_SMALL, "של את" },

    { LANGUAGE_KOREAN, WORD_TRAIL, "시나리오 시나리오를 만들어 만들어줘 만들어주세요 주세요 줘 작성해 "
        "작성해줘 생성해 생성해줘 생성해주세요 작성해주세요" },
    { LANGUAGE_KOREAN, WORD_GREETING, "안녕하세요" },

    { LANGUAGE_HINDI, WORD_TRAIL, "बनाएं बनाएँ बनाओ बनाइए परिदृश्य" },
    { LANGUAGE_HINDI, WORD_POLITE, "कृपया" },
    { LANGUAGE_HINDI, WORD_DET, "एक" },
    { LANGUAGE_HINDI, WORD_SMALL, "का की के से को" },
};
/* clang-format on */

enum {
    /* A power of two, more than twice the words: short probes. */
    SLOT_COUNT = 4096,
    ROW_COUNT = sizeof rows / sizeof rows[0],
    /* The row of a word that is only known as the first of a phrase. */
    ROW_PHRASE = ROW_COUNT
};

struct slot {
    const char *word;
    uint8_t len;
    uint8_t row;
};

static_assert(ROW_PHRASE <= UINT8_MAX, "rows are numbered in a byte");

static struct slot slots[SLOT_COUNT];
static pthread_once_t built = PTHREAD_ONCE_INIT;

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

uint32_t words_hash(uint32_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)lower(text[i])) * 16777619u;
    return hash;
}

static bool same_text(const struct slot *slot, const char *text, size_t len)
{
    if (slot->len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(slot->word[i]) != lower(text[i]))
            return false;
    return true;
}

static void index_word(const char *word, size_t len, size_t row)
{
    assert(len <= WORDS_MAX_LENGTH);
    size_t i = words_hash(WORDS_HASH_START, word, len) % SLOT_COUNT;
    while (slots[i].word)
        i = (i + 1) % SLOT_COUNT;
    slots[i] = (struct slot){.word = word, .len = (uint8_t)len, .row = (uint8_t)row};
}

static void index_rows(void)
{
    for (size_t row = 0; row < ROW_COUNT; row++) {
        const char *word = rows[row].words;
        while (*word) {
            size_t len = strcspn(word, " ");
            const char *joint = memchr(word, '_', len);
            index_word(word, len, row);
            if (joint)
                index_word(word, (size_t)(joint - word), ROW_PHRASE);
            word += len + strspn(word + len, " ");
        }
    }
}

static int find_from(size_t start, const char *text, size_t len)
{
    for (size_t i = start % SLOT_COUNT; slots[i].word; i = (i + 1) % SLOT_COUNT)
        if (same_text(&slots[i], text, len))
            return (int)i;
    return WORDS_NONE;
}

int words_find(uint32_t hash, const char *text, size_t len)
{
    pthread_once(&built, index_rows);
    return len == 0 || len > WORDS_MAX_LENGTH ? WORDS_NONE : find_from(hash, text, len);
}

int words_next(int entry)
{
    return find_from((size_t)entry + 1, slots[entry].word, slots[entry].len);
}

enum language words_language(int entry)
{
    size_t row = slots[entry].row;
    return row == ROW_PHRASE ? LANGUAGE_COUNT : rows[row].language;
}

uint32_t words_classes(int entry)
{
    size_t row = slots[entry].row;
    return row == ROW_PHRASE ? 0 : rows[row].classes;
}

const char *words_text(int entry, size_t *ret_len)
{
    *ret_len = slots[entry].len;
    return slots[entry].word;
}

uint32_t words_meaning(int entry, enum language language)
{
    uint32_t classes = 0;
    for (; entry != WORDS_NONE; entry = words_next(entry))
        if (words_language(entry) == language)
            classes |= words_classes(entry);
    return classes;
}
